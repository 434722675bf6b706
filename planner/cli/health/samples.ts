import { z } from 'zod'
import { type FiledSample, samplesFile } from '../../../shared/capture/index.ts'
import { wholeNumber } from '../../../shared/command-line/index.ts'
import { formatNpz } from '../../../shared/dataset/index.ts'
import { UsageError } from '../../../shared/errors.ts'
import { deviceIdSchema, modelNameSchema } from '../../../shared/ids.ts'
import { formatBytes } from '../../../shared/units.ts'
import { connectPlanner, type OperationInput } from '../../api/index.ts'
import { cell } from '../print/figure.ts'
import { apart, table } from '../print/page.ts'
import { type CliOption, defineCommand } from '../program/command.ts'
import {
  dataInput,
  dataOption,
  hoursInput,
  whereInput,
  whereOption,
} from '../program/fleet-options.ts'
import { refuseToReplace, writeWhole } from '../program/write-whole.ts'

const whoseOptions: readonly CliOption[] = [
  dataOption,
  { flags: '--device <id>', description: 'only of this device' },
  whereOption,
  {
    flags: '--since <time>',
    description: 'only received since, e.g. 7d, or 2026-11-29T06:00:00+01:00',
  },
]

const HOUR_MS = 3_600_000

/** `7d`, or a moment. */
const sinceInput = z.string().transform((text, context) => {
  const hours = hoursInput.safeParse(text)
  if (hours.success) return new Date(Date.now() - hours.data * HOUR_MS).toISOString()
  const moment = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).safeParse(text)
  if (moment.success) return new Date(moment.data).toISOString()
  const message = `"${text}" is no time: write e.g. 24h, 7d, 2026-11-29 or 2026-11-29T06:00:00+01:00`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

const whoseInput = {
  ...dataInput,
  device: deviceIdSchema.optional(),
  where: whereInput,
  since: sinceInput.optional(),
}

type Whose = Pick<OperationInput<'samples.list'>, 'device' | 'where' | 'since'>

function whose({ device, where, since }: Whose): Whose {
  return {
    ...(device !== undefined && { device }),
    ...(where !== undefined && { where }),
    ...(since !== undefined && { since }),
  }
}

export const samplesListCommand = defineCommand({
  path: 'samples list',
  summary: 'Lists inferences worth a label that devices captured and the planner collected.',
  arguments: [{ name: 'model', description: 'only of this model', optional: true }],
  options: whoseOptions,
  example: "fitment samples list motor --where 'site=hall-2'",
  lists: true,
  watched: true,
  input: z.object({ ...whoseInput, model: modelNameSchema.optional() }),
  run: async ({ data, model, ...input }, io) => {
    const query = { ...whose(input), ...(model !== undefined && { model }) }
    const { rows, waiting, usedBytes, quotaBytes } = await connectPlanner(data).call(
      'samples.list',
      query,
    )
    io.result({ rows, waiting, usedBytes, quotaBytes }, () => {
      const used = `${formatBytes(usedBytes)} of ${formatBytes(quotaBytes)} are used; ${waiting} samples wait on devices`
      if (rows.length === 0)
        return `no sample is here: agents capture with --capture 64MiB. ${used}`
      const head = ['MODEL', 'REV', 'DEVICE', 'SAMPLES', 'SIZE', 'WHY', 'FIRST', 'LAST']
      const cells = rows.map((row) => [
        ...[row.model, cell(row.revision, String), row.device, String(row.samples)],
        ...[cell(row.bytes, formatBytes), reasonsOf(row.reasons), row.first, row.last],
      ])
      return apart(table(head, cells, { spare: ['FIRST', 'REV'] }), used)
    })
    return 0
  },
})

function reasonsOf(reasons: Readonly<Record<string, number>>): string {
  return Object.entries(reasons)
    .map(([why, count]) => `${count} ${why}`)
    .join(', ')
}

export const samplesPullCommand = defineCommand({
  path: 'samples pull',
  summary:
    'Writes collected inferences of a model into one .npz, for labelling: inputs, outputs, device, time and reason.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    ...whoseOptions,
    { flags: '-o, --output <file>', description: 'the .npz to write' },
    {
      flags: '--most <n>',
      description: 'no more than so many, the oldest first',
      default: '10000',
    },
  ],
  example: 'fitment samples pull motor -o strange.npz --since 7d',
  input: z.object({
    ...whoseInput,
    model: modelNameSchema,
    output: z.string('say where to with -o FILE.npz'),
    most: wholeNumber({ least: 1, most: 1_000_000 }),
  }),
  run: async ({ data, model, output, most, ...input }, io) => {
    await refuseToReplace(output, [])
    // One more than is wanted tells whether there are more.
    const query = { model, ...whose(input), limit: most + 1 }
    const found = await connectPlanner(data).call('samples.read', query)
    const all: readonly FiledSample[] = found.slice(0, most)
    if (all.length === 0) {
      throw new UsageError(
        `no sample of ${model} is here that fits: see fitment samples list ${model}`,
      )
    }
    const { arrays, samples, leftOut } = samplesFile(all)
    const bytes = formatNpz(arrays)
    await writeWhole(output, bytes)
    if (leftOut > 0) {
      io.note(
        `note: ${leftOut} samples are of other inputs or outputs, as of another revision, and left out`,
      )
    }
    const isMore = found.length > most
    if (isMore) io.note(`note: there are more than ${most}: say --most, or --since`)
    const devices = new Set(all.map(({ device }) => device)).size
    const told = { model, file: output, samples, leftOut, devices, isMore }
    io.result(
      told,
      () =>
        `${output}: ${samples} samples of ${devices} devices, ${formatBytes(bytes.length)}; add an array "y" and it is test data`,
    )
    return 0
  },
})
