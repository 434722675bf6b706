import { z } from 'zod'
import { wholeNumber } from '../../../shared/command-line/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { labelKeySchema } from '../../../shared/labels.ts'
import { parseDuration } from '../../../shared/units.ts'
import { connectPlanner, type RolloutStatus } from '../../api/index.ts'
import { parseConditions } from '../../health/index.ts'
import { DEFAULT_GATE, DEFAULT_WAVES, parseWaves, rateSchema } from '../../rollout/index.ts'
import { revisionInput } from '../models/revision-options.ts'
import { defineCommand } from '../program/command.ts'
import {
  acceptNoiseOption,
  dataInput,
  dataOption,
  percentInput,
  waitOption,
  whereInput,
  whereOption,
} from '../program/fleet-options.ts'
import { printRollouts } from './print-rollouts.ts'

/** `base=10,factor=2,succeeded=20` */
const exponentialInput = z.string().transform((text, context) => {
  const said = Object.fromEntries(text.split(',').map((pair) => pair.split('=')))
  const { base, factor, succeeded, ...others } = said
  const rate = {
    baseRatePerMinute: Number(base),
    incrementFactor: Number(factor ?? 2),
    numberOfSucceededThings: Number(succeeded),
  }
  const isNumber = Object.values(rate).every((number) => number > 0)
  if (isNumber && Object.keys(others).length === 0) return rate
  context.addIssue({
    code: 'custom',
    message: `"${text}": write e.g. base=10,factor=2,succeeded=20`,
  })
  return z.NEVER
})

export const rolloutStartCommand = defineCommand({
  path: 'rollout start',
  summary:
    'Brings every class the variant that measured best there, wave by wave; plans first where need be.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    dataOption,
    {
      flags: '--waves <list>',
      description:
        'devices reached by each wave, per class: how many, which share, or who (site=pilot)',
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
      description: 'an older revision, or a tag; what was built and measured of it is used again',
    },
    whereOption,
    {
      flags: '--atomic-by <label>',
      description: 'devices that share its value get it all or none, e.g. site',
    },
    { flags: '--max-per-minute <n>', description: 'devices told in a minute, at most' },
    {
      flags: '--exponential-rate <list>',
      description: 'grows up to that maximum: base=10,factor=2,succeeded=20 (devices a minute)',
    },
    { flags: '--now', description: 'windows of maintenance are not waited for' },
    {
      flags: '--after',
      description: 'where another revision is under way: begin once it has ended',
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
    revision: revisionInput.optional(),
    waves: z.string(),
    success: percentInput,
    abortAbove: percentInput,
    minSample: wholeNumber({ least: 1 }),
    approval: z.boolean().default(false),
    revert: z.boolean().default(false),
    where: whereInput,
    atomicBy: labelKeySchema.optional(),
    maxPerMinute: wholeNumber({ least: 1 }).optional(),
    exponentialRate: exponentialInput.optional(),
    now: z.boolean().default(false),
    after: z.boolean().default(false),
    acceptNoise: z.boolean().default(false),
    health: z.string().optional(),
    watch: z.string().optional(),
    wait: z.boolean().default(false),
  }),
  run: async (
    {
      data,
      model,
      revision,
      waves,
      approval,
      revert,
      where,
      atomicBy,
      after,
      now,
      maxPerMinute,
      exponentialRate,
      acceptNoise,
      health,
      watch,
      wait,
      ...gate
    },
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
        ...(where && { where }),
        ...(atomicBy !== undefined && { atomicBy }),
        after,
        ...(now && { atOnce: true }),
        ...rateOf(maxPerMinute, exponentialRate),
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

/** @throws UsageError where it has nowhere to grow to */
function rateOf(
  maximumPerMinute: number | undefined,
  exponentialRate: z.output<typeof exponentialInput> | undefined,
) {
  if (maximumPerMinute === undefined && exponentialRate === undefined) return {}
  const rate = rateSchema.safeParse({
    maximumPerMinute: maximumPerMinute ?? DEFAULT_MAXIMUM,
    ...(exponentialRate && { exponentialRate }),
  })
  if (rate.success) return { rate: rate.data }
  throw new UsageError(`--exponential-rate: ${rate.error.issues[0]?.message}`)
}

/** Of AWS IoT Jobs. */
const DEFAULT_MAXIMUM = 1000

export const rollbackCommand = defineCommand({
  path: 'rollback',
  summary:
    'Brings back the revision before, or another: what was built and measured of it, to all at once.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    dataOption,
    {
      flags: '--to <revision>',
      description: 'which one, or its tag; the one rolled out before where absent',
    },
    waitOption,
  ],
  example: 'fitment rollback motor --to 2 --wait',
  input: z.object({
    ...dataInput,
    model: z.string(),
    to: revisionInput.optional(),
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
