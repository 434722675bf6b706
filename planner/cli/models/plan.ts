import { z } from 'zod'
import { connectPlanner } from '../../api/index.ts'
import { defineCommand } from '../program/command.ts'
import {
  acceptNoiseOption,
  dataInput,
  dataOption,
  whereInput,
  whereOption,
} from '../program/fleet-options.ts'
import { PROBE_OPTIONS, probeInput, probingIn } from '../program/probe-options.ts'
import { printExplanation } from './print-explanation.ts'
import { listPlans, printPlans } from './print-plan.ts'

export const planCommand = defineCommand({
  path: 'plan',
  summary: 'Builds the variants of a model, has devices measure them, and chooses one per class.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    dataOption,
    { flags: '--class <class>', description: 'wait for this class only' },
    { ...whereOption, description: 'wait for the classes of these devices only' },
    { flags: '--dry-run', description: 'only say which variants would be built, and why' },
    { flags: '--again', description: 'plan and measure anew' },
    acceptNoiseOption,
    ...PROBE_OPTIONS,
    {
      flags: '--explain <device>',
      description: 'why this device gets what it gets, with every measurement behind it',
    },
  ],
  example: 'fitment plan motor --dry-run',
  lists: true,
  input: z.object({
    ...dataInput,
    model: z.string(),
    class: z.string().optional(),
    where: whereInput,
    dryRun: z.boolean().default(false),
    again: z.boolean().default(false),
    acceptNoise: z.boolean().default(false),
    explain: z.string().optional(),
    ...probeInput,
  }),
  run: async ({ data, class: only, where, explain: device, ...said }, io) => {
    const { rateHz, soak, energy, threads, ...input } = said
    const probing = probingIn({ rateHz, soak, energy, threads })
    if (device !== undefined) {
      const told = await connectPlanner(data).call('plan.explain', { model: input.model, device })
      io.result(told, () => printExplanation(told))
      return 0
    }
    const progress = io.progress(`planning ${input.model}`)
    const result = await connectPlanner(data).call(
      'plan',
      {
        ...input,
        ...(only === undefined ? {} : { class: only }),
        ...(where && { where }),
        ...(probing && { probing }),
      },
      ({ done, total, what }) => progress.update(done, total, what),
    )
    progress.end()
    io.result(
      result,
      () => printPlans(result.classes),
      () => listPlans(result.classes),
    )
    return input.dryRun || result.classes.every(({ winner }) => winner) ? 0 : 1
  },
})
