import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import { connectPlanner } from '../../api/index.ts'
import { type CliCommand, defineCommand } from '../program/command.ts'
import { dataInput, dataOption, hoursInput } from '../program/fleet-options.ts'
import { printAbort, printRollouts } from './print-rollouts.ts'

const model = { name: 'model', description: 'name of a model' }
const classOption = { flags: '--class <class>', description: 'only this class' }
const changeInput = { ...dataInput, model: z.string(), class: z.string().optional() }

export const rolloutStatusCommand = defineCommand({
  path: 'rollout status',
  summary: 'Shows how far a rollout is, class by class and device by device.',
  arguments: [model],
  options: [dataOption],
  example: 'fitment rollout status motor',
  lists: true,
  watched: true,
  input: z.object({ ...dataInput, model: z.string() }),
  run: async ({ data, model }, io) => {
    const status = await connectPlanner(data).call('rollout.status', { model })
    io.result(status, () => printRollouts(status))
    return status.rollouts.some(({ state }) => state === 'aborted' || state === 'paused') ? 1 : 0
  },
})

export const rolloutPauseCommand = defineCommand({
  path: 'rollout pause',
  summary: 'Sends nothing more until it is resumed, or until a time.',
  arguments: [model],
  options: [
    dataOption,
    classOption,
    {
      flags: '--until <time>',
      description: 'goes on by itself then, e.g. 2026-12-01T06:00:00+01:00',
    },
    { flags: '--for <time>', description: 'goes on by itself after, e.g. 30m, 8h, 2d' },
  ],
  example: 'fitment rollout pause motor --for 8h',
  input: z.object({
    ...changeInput,
    until: z.iso
      .datetime({ offset: true, error: 'write e.g. 2026-12-01T06:00:00+01:00, or Z for UTC' })
      .optional(),
    for: hoursInput.optional(),
  }),
  run: async ({ data, until, for: hours, ...input }, io) => {
    if (until !== undefined && hours !== undefined) {
      throw new UsageError('--until and --for say the same thing: leave out one of them')
    }
    const end = hours === undefined ? until : new Date(Date.now() + hours * 3_600_000).toISOString()
    const asked = { ...only(input), ...(end !== undefined && { until: end }) }
    const status = await connectPlanner(data).call('rollout.pause', asked)
    io.result(status, () => printRollouts(status))
    return 0
  },
})
export const rolloutAbortCommand = change(
  'abort',
  'Ends a rollout; devices keep what they have, or get back what they had (start --revert).',
)
export const rolloutApproveCommand = change(
  'approve',
  'Opens the next wave of a rollout that asks first.',
)

export const rolloutResumeCommand = defineCommand({
  path: 'rollout resume',
  summary:
    'Goes on with a paused rollout, failures so far no longer counted; --retry also where it is done.',
  arguments: [model],
  options: [dataOption, classOption, { flags: '--retry', description: 'try failed devices again' }],
  example: 'fitment rollout resume motor --retry',
  input: z.object({ ...changeInput, retry: z.boolean().default(false) }),
  run: async ({ data, retry, ...input }, io) => {
    const status = await connectPlanner(data).call('rollout.resume', { ...only(input), retry })
    io.result(status, () => printRollouts(status))
    return 0
  },
})

function change(verb: 'abort' | 'approve', summary: string): CliCommand {
  return defineCommand({
    path: `rollout ${verb}`,
    summary,
    arguments: [model],
    options: [dataOption, classOption],
    example: `fitment rollout ${verb} motor`,
    input: z.object(changeInput),
    run: async ({ data, ...input }, io) => {
      const status = await connectPlanner(data).call(`rollout.${verb}`, only(input))
      const print = verb === 'abort' ? printAbort : printRollouts
      io.result(status, () => print(status))
      return 0
    },
  })
}

function only(input: { readonly model: string; readonly class?: string | undefined }) {
  return input.class === undefined
    ? { model: input.model }
    : { model: input.model, class: input.class }
}
