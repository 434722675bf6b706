import { z } from 'zod'
import { decimal, wholeNumber } from '../../../shared/command-line/index.ts'
import { takeSamples } from '../../../shared/dataset/index.ts'
import { readMetric } from '../../../shared/metrics/index.ts'
import { type Comparison, compareModels, renderReport } from '../../comparison/index.ts'
import { defineCommand } from '../program/command.ts'
import { writeWhole } from '../program/write-whole.ts'
import { listLayers, printComparison } from './compare-tables.ts'
import { blamingLine, FOLDER_OPTIONS, folderInput, readData } from './data-options.ts'
import { METRIC_OPTION } from './metric-option.ts'
import { readModelFile } from './model-file.ts'

export const compareCommand = defineCommand({
  path: 'compare',
  summary:
    'Looks into quantized models beside the float one: error of every layer and weight, ranges, scales, speed.',
  arguments: [
    { name: 'float', description: 'float .tflite file' },
    { name: 'quantized', description: 'models made from it, one or several', variadic: true },
  ],
  options: [
    {
      flags: '--data <path>',
      description: 'samples to run both on: .npz, or a folder of images or WAV files',
    },
    ...FOLDER_OPTIONS,
    METRIC_OPTION,
    { flags: '--samples <n>', description: 'use this many of them, spread over the set' },
    { flags: '--report <file.html>', description: 'also write a page with plots, in one file' },
    {
      flags: '--seconds <n>',
      description: 'time to measure the latency of each model; 0 for none',
      default: '2',
    },
    { flags: '--worst <n>', description: 'layers to list', default: '10' },
  ],
  example: 'fitment compare float.tflite int8.tflite --data test.npz --report report.html',
  lists: true,
  input: z.object({
    float: z.string(),
    quantized: z.array(z.string()).min(1),
    data: z.string('give the data set with --data FILE.npz'),
    ...folderInput,
    metric: z.string().optional(),
    samples: wholeNumber({ least: 1 }).optional(),
    report: z.string().optional(),
    seconds: decimal({ least: 0, most: 600 }),
    worst: wholeNumber({ least: 1 }),
  }),
  run: async (input, io) => {
    const float = await readModelFile(input.float)
    const quantized = await Promise.all(input.quantized.map((path) => readModelFile(path)))
    const metric = input.metric === undefined ? undefined : await readMetric(input.metric)
    const data = await readData(input.data, input, metric ? 'any' : 'classes')
    const progress = io.progress(`comparing with ${input.float}`)
    const comparison = await blamingLine(input, () =>
      compareModels({
        float: { ...float, file: float.path },
        quantized: quantized.map((model) => ({ ...model, file: model.path })),
        dataset: input.samples === undefined ? data : takeSamples(data, input.samples),
        latencyMs: input.seconds * 1000,
        onProgress: progress.update,
        ...(metric && { metric }),
      }),
    )
    progress.end()
    if (input.report !== undefined) await writeWhole(input.report, renderReport(comparison))
    const findings = [
      ...comparison.findings,
      ...comparison.quantized.flatMap((one) => one.findings),
    ]
    io.findings(findings)
    io.result(
      { ...forMachines(comparison), report: input.report ?? null },
      () => printComparison(comparison, input.worst),
      () => listLayers(comparison),
    )
    return findings.some(({ severity }) => severity === 'error') ? 1 : 0
  },
})

/** Points of plots are for the page. */
function forMachines({ quantized, ...rest }: Comparison) {
  return { ...rest, quantized: quantized.map(({ scatters: _, ...one }) => one) }
}
