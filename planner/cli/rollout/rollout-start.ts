import { z } from 'zod'
import { connectPlanner } from '../../api/index.ts'
import { DEFAULT_GATE, DEFAULT_WAVES, parseWaves } from '../../rollout/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption, percentInput } from '../program/fleet-options.ts'
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
    { flags: '--revert', description: 'on abort, give devices back what they ran before' },
    {
      flags: '--accept-noise',
      description: 'choose from measurements of busy or throttled devices too',
    },
    {
      flags: '--wait',
      description: 'return when all is done, stopped, or needs a device that is offline',
    },
  ],
  example: 'fitment rollout start motor --waves 1,10%,100% --wait',
  input: z.object({
    ...dataInput,
    model: z.string(),
    waves: z.string(),
    success: percentInput,
    abortAbove: percentInput,
    minSample: z.coerce.number().int().positive(),
    approval: z.boolean().default(false),
    revert: z.boolean().default(false),
    acceptNoise: z.boolean().default(false),
    wait: z.boolean().default(false),
  }),
  run: async ({ data, model, waves, approval, revert, acceptNoise, wait, ...gate }, io) => {
    const progress = io.progress(`rolling out ${model}`)
    const status = await connectPlanner(data).call(
      'rollout.start',
      {
        model,
        waves: [...parseWaves(waves)],
        gate: {
          successShare: gate.success,
          failureThreshold: gate.abortAbove,
          minimumSample: gate.minSample,
        },
        approval,
        revert,
        acceptNoise,
        wait,
      },
      ({ done, total, what }) => progress.update(done, total, what),
    )
    progress.end()
    io.result(status, () => printRollouts(status))
    const isDone =
      status.pending.length === 0 && status.rollouts.every(({ state }) => state === 'done')
    return !wait || isDone ? 0 : 1
  },
})
