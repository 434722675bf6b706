import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import { parseDuration } from '../../../shared/units.ts'
import { connectPlanner, type RolloutStatus } from '../../api/index.ts'
import { parseConditions } from '../../health/index.ts'
import { DEFAULT_GATE, DEFAULT_WAVES, parseWaves } from '../../rollout/index.ts'
import { defineCommand } from '../program/command.ts'
import {
  acceptNoiseOption,
  dataInput,
  dataOption,
  percentInput,
  waitOption,
} from '../program/fleet-options.ts'
import { printRollouts } from './print-rollouts.ts'

export const rolloutStartCommand = defineCommand({
  path: 'rollout start',
  summary:
    'Brings every class the variant that measured best there, wave by wave; plans first where need be.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    dataOption,
    {
      flags: '--waves <list>',
      description: 'devices reached by each wave, per class',
      default: DEFAULT_WAVES,
    },
    {
      flags: '--success <percent>',
      description: 'share of a wave that must succeed before the next',
      default: `${DEFAULT_GATE.successShare * 100}%`,
    },
    {
      flags: '--abort-above <percent>',
      description: 'stop when more than this surely fail',
      default: `${DEFAULT_GATE.failureThreshold * 100}%`,
    },
    {
      flags: '--min-sample <n>',
      description: 'never stop on fewer devices',
      default: `${DEFAULT_GATE.minimumSample}`,
    },
    {
      flags: '--approval',
      description: 'wait for fitment rollout approve before every further wave',
    },
    {
      flags: '--revision <n>',
      description: 'an older revision; what was built and measured of it is used again',
    },
    { flags: '--revert', description: 'on abort, give devices back what they ran before' },
    {
      flags: '--health <conditions>',
      description:
        'what a wave must show in the field, e.g. drift<0.2,p95<1.3x; else it is taken back',
    },
    { flags: '--watch <time>', description: 'for how long, since its last device (default: 2h)' },
    acceptNoiseOption,
    waitOption,
  ],
  example:
    "fitment rollout start motor --waves 1,10%,100% --watch 2h --health 'drift<0.2,p95<1.3x'",
  input: z.object({
    ...dataInput,
    model: z.string(),
    revision: z.coerce.number().int().positive().optional(),
    waves: z.string(),
    success: percentInput,
    abortAbove: percentInput,
    minSample: z.coerce.number().int().positive(),
    approval: z.boolean().default(false),
    revert: z.boolean().default(false),
    acceptNoise: z.boolean().default(false),
    health: z.string().optional(),
    watch: z.string().optional(),
    wait: z.boolean().default(false),
  }),
  run: async (
    { data, model, revision, waves, approval, revert, acceptNoise, health, watch, wait, ...gate },
    io,
  ) => {
    const progress = io.progress(`rolling out ${model}`)
    const status = await connectPlanner(data).call(
      'rollout.start',
      {
        model,
        ...(revision !== undefined && { revision }),
        waves: [...parseWaves(waves)],
        gate: {
          successShare: gate.success,
          failureThreshold: gate.abortAbove,
          minimumSample: gate.minSample,
        },
        approval,
        revert,
        health: healthGate(health, watch),
        acceptNoise,
        wait,
      },
      ({ done, total, what }) => progress.update(done, total, what),
    )
    progress.end()
    io.result(status, () => printRollouts(status))
    return !wait || isDone(status) ? 0 : 1
  },
})

const WATCH = '2h'

/** @throws UsageError */
function healthGate(conditions: string | undefined, watch: string | undefined) {
  if (conditions === undefined) {
    if (watch === undefined) return null
    throw new UsageError('--watch says for how long: say for what by --health, e.g. drift<0.2')
  }
  const watchMs = parseDuration(watch ?? WATCH)
  if (watchMs === undefined || watchMs <= 0)
    throw new UsageError(`--watch ${watch} is no time: write e.g. 30m, 2h or 1d`)
  return { watchMs, conditions: [...parseConditions(conditions)] }
}

export const rollbackCommand = defineCommand({
  path: 'rollback',
  summary:
    'Brings back the revision before, or another: what was built and measured of it, to all at once.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    dataOption,
    { flags: '--to <revision>', description: 'which one; the one rolled out before where absent' },
    waitOption,
  ],
  example: 'fitment rollback motor --to 2 --wait',
  input: z.object({
    ...dataInput,
    model: z.string(),
    to: z.coerce.number().int().positive().optional(),
    wait: z.boolean().default(false),
  }),
  run: async ({ data, model, to, wait }, io) => {
    const progress = io.progress(`rolling back ${model}`)
    const status = await connectPlanner(data).call(
      'rollback',
      { model, ...(to !== undefined && { to }), wait },
      ({ done, total, what }) => progress.update(done, total, what),
    )
    progress.end()
    io.result(status, () => printRollouts(status))
    return !wait || isDone(status) ? 0 : 1
  },
})

function isDone({ pending, rollouts }: RolloutStatus): boolean {
  return pending.length === 0 && rollouts.every(({ state }) => state === 'done')
}
