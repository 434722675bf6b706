import { z } from 'zod'
import { labelKeySchema } from '../../../shared/labels.ts'
import { connectPlanner, type RolloutStatus } from '../../api/index.ts'
import { DEFAULT_GATE, DEFAULT_WAVES, parseWaves } from '../../rollout/index.ts'
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
    {
      flags: '--after',
      description: 'where another revision is under way: begin once it has ended',
    },
    { flags: '--revert', description: 'on abort, give devices back what they ran before' },
    acceptNoiseOption,
    waitOption,
  ],
  example: 'fitment rollout start motor --waves 1,10%,100% --wait',
  input: z.object({
    ...dataInput,
    model: z.string(),
    revision: revisionInput.optional(),
    waves: z.string(),
    success: percentInput,
    abortAbove: percentInput,
    minSample: z.coerce.number().int().positive(),
    approval: z.boolean().default(false),
    revert: z.boolean().default(false),
    where: whereInput,
    atomicBy: labelKeySchema.optional(),
    after: z.boolean().default(false),
    acceptNoise: z.boolean().default(false),
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
      acceptNoise,
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
        ...(where && { where }),
        ...(atomicBy !== undefined && { atomicBy }),
        after,
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
