import { z } from 'zod'
import type { QualityRecord } from '../../../shared/measure/index.ts'
import { evaluate } from '../../../shared/measure/index.ts'
import { formatMetric, readMetric } from '../../../shared/metrics/index.ts'
import { type Delegation, loadOn, openIsolated } from '../../../shared/runtime/index.ts'
import { formatPercent } from '../../../shared/units.ts'
import { facts, type Page } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { blamingLine, FOLDER_OPTIONS, folderInput, readData } from './data-options.ts'
import { ENGINE_OPTIONS, engineFrom, engineInput } from './engine-options.ts'
import { METRIC_OPTION } from './metric-option.ts'
import { openModel, readModelFile } from './model-file.ts'
import { printDelegation } from './print-delegation.ts'

export const evaluateCommand = defineCommand({
  path: 'evaluate',
  summary:
    'Runs a model over a data set in its real runtime: accuracy, agreement with a float model, output SQNR.',
  arguments: [{ name: 'model', description: '.tflite or .onnx file' }],
  options: [
    {
      flags: '--data <path>',
      description:
        '.npz with samples x, and labels y where there are any; or a folder of images or WAV files',
    },
    ...FOLDER_OPTIONS,
    { flags: '--reference <model>', description: 'float model to agree with' },
    METRIC_OPTION,
    ...ENGINE_OPTIONS,
  ],
  example: 'fitment evaluate int8.tflite --data test.npz --reference float.tflite',
  input: z.object({
    model: z.string(),
    data: z.string('give the data set with --data FILE.npz'),
    ...folderInput,
    reference: z.string().optional(),
    metric: z.string().optional(),
    ...engineInput,
  }),
  run: async (input, io) => {
    const metric = input.metric === undefined ? undefined : await readMetric(input.metric)
    const dataset = await readData(input.data, input, metric ? 'any' : 'classes')
    const model = await readModelFile(input.model)
    const engine = engineFrom(input, model.format)
    const runtime = await openIsolated(engine)
    const session = await loadOn(runtime, engine, model.bytes)
    const reference = input.reference && (await openModel(await readModelFile(input.reference)))
    const progress = io.progress(`evaluating ${input.model}`)
    try {
      const record = await blamingLine(input, () =>
        evaluate(session, dataset, {
          ...(reference ? { reference } : {}),
          ...(metric && { metric }),
          onProgress: (done, total) => progress.update(done, total),
        }),
      )
      progress.end()
      io.findings(record.notes)
      const { name, version, library } = runtime
      const told = {
        ...record,
        runtime: { name, version },
        ...(library && { library: { ...library, version } }),
        ...(session.delegation && { delegates: session.delegation }),
      }
      io.result(told, () => forPeople(told))
      return record.notFinite > 0 ? 1 : 0
    } finally {
      await session.close()
      if (reference) await reference.close()
    }
  },
})

interface EvaluateRecord extends QualityRecord {
  readonly runtime: { readonly name: string; readonly version: string }
  readonly delegates?: readonly Delegation[]
}

function forPeople(record: EvaluateRecord): Page {
  const share = (value: number | null, interval: readonly [number, number] | null) =>
    value === null
      ? '—'
      : `${formatPercent(value, 2)}${interval ? `  (95 %: ${formatPercent(interval[0])} – ${formatPercent(interval[1])})` : ''}`
  return facts([
    ['runtime', `${record.runtime.name} ${record.runtime.version}`],
    ...(record.delegates ?? []).map((one) => ['delegate', printDelegation(one)]),
    ['samples', String(record.samples)],
    ...metricRows(record.metric),
    ...(record.metric !== undefined && record.accuracy === null
      ? []
      : [
          ['accuracy', share(record.accuracy, record.accuracyCi95)],
          ['accuracy of the reference', share(record.referenceAccuracy, null)],
        ]),
    ...(record.metric !== undefined && record.agreement === null
      ? []
      : [['agreement with the reference', share(record.agreement, record.agreementCi95)]]),
    ['output SQNR', record.sqnrDb === null ? '—' : `${record.sqnrDb.toFixed(1)} dB`],
    ['largest output error', record.maxAbsError === null ? '—' : record.maxAbsError.toPrecision(3)],
  ])
}

function metricRows(metric: QualityRecord['metric']): string[][] {
  if (metric === undefined) return []
  const print = (value: number | null) => (value === null ? '—' : formatMetric(metric, value))
  const parts = Object.entries(metric.parts ?? {})
  return [
    [`${metric.text} (${metric.direction} is better)`, print(metric.value)],
    ...parts.map(([name, value]) => [`  ${name}`, print(value)]),
    ['  of the reference', print(metric.reference)],
  ]
}
