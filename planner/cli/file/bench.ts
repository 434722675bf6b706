import { z } from 'zod'
import { decimal, wholeNumber } from '../../../shared/command-line/index.ts'
import type { PartTime } from '../../../shared/runtime/index.ts'
import { formatMs, formatPercent } from '../../../shared/units.ts'
import { defineCommand } from '../program/command.ts'
import { table } from '../program/io.ts'
import { benchInChild } from './bench-child.ts'
import type { BenchRecord } from './bench-run.ts'
import { ENGINE_OPTIONS, engineFrom, engineInput } from './engine-options.ts'
import { readModelFile } from './model-file.ts'
import { SHAPE_OPTION, shapeInput } from './model-shapes.ts'
import { printDelegation } from './print-delegation.ts'

export const benchCommand = defineCommand({
  path: 'bench',
  summary:
    'Measures how fast a model runs on this machine, by the protocol that devices use in a probe.',
  arguments: [{ name: 'model', description: '.tflite or .onnx file' }],
  options: [
    {
      flags: '--data <file.npz>',
      description: 'real inputs to rotate; noise of a fixed seed where absent',
    },
    SHAPE_OPTION,
    ...ENGINE_OPTIONS,
    { flags: '--threads <n>', description: 'threads of the runtime', default: '1' },
    { flags: '--seconds <n>', description: 'most time to spend measuring', default: '10' },
    {
      flags: '--profile',
      description:
        'then what takes the time, by the profiler of onnxruntime, openvino or a LiteRT library',
    },
  ],
  example: 'fitment bench int8.tflite --threads 2',
  input: z.object({
    model: z.string(),
    data: z.string().optional(),
    shape: shapeInput,
    ...engineInput,
    threads: wholeNumber({ least: 1, most: 256 }),
    seconds: decimal({ least: 0.5, most: 600 }),
    profile: z.boolean().default(false),
  }),
  run: async (input, io) => {
    const model = await readModelFile(input.model, input.shape)
    const engine = engineFrom(input, model.format)
    const progress = io.progress(`measuring ${input.model}`)
    const { threads, seconds, data, profile } = input
    const request = { model: model.bytes, engine, data, threads, seconds, profile }
    const record = await benchInChild(request, (round) => progress.update(round, 0))
    progress.end()
    io.result(record, () => forPeople(record))
    return 0
  },
})

function forPeople(record: BenchRecord): string {
  const { runtime, library, delegates = [], threads, loadMs, firstMs, inputs, latency } = record
  const { p50Ms, p50Ci95, p90Ms, p99Ms, n } = latency
  const orTooFew = (ms: number | null) => (ms === null ? `too few runs (${n})` : formatMs(ms))
  const measured = table(
    ['MEASURE', 'VALUE'],
    [
      [
        'runtime',
        `${runtime.name} ${runtime.version}, ${threads} thread${threads === 1 ? '' : 's'}, ${inputs} as input`,
      ],
      ...(library ? [['library', library.path]] : []),
      ...delegates.map((one) => ['delegate', printDelegation(one)]),
      ['load', formatMs(loadMs)],
      ['first inference', formatMs(firstMs)],
      ['p50', `${formatMs(p50Ms)}  (95 %: ${formatMs(p50Ci95[0])} – ${formatMs(p50Ci95[1])})`],
      ['p90', orTooFew(p90Ms)],
      ['p99', orTooFew(p99Ms)],
      ['runs', `${n}, stopped by ${latency.stopped}`],
    ],
  )
  return record.parts ? `${measured}\n\n${partsTable(record.parts)}` : measured
}

function partsTable(parts: readonly PartTime[]): string {
  const whole = parts.reduce((sum, { ms }) => sum + ms, 0)
  return table(
    ['BY', 'OPERATOR', 'IN A RUN', 'TIME', 'SHARE'],
    parts.map(({ by, kind, count, ms }) => [
      by,
      kind,
      String(Math.round(count)),
      formatMs(ms),
      formatPercent(whole > 0 ? ms / whole : 0),
    ]),
  )
}
