import { z } from 'zod'
import { formatBytes, formatMs } from '../../../shared/units.ts'
import { connectPlanner, type ModelView, type OperationOutput } from '../../api/index.ts'
import { points } from '../../selection/index.ts'
import { cell } from '../print/figure.ts'
import { apart, facts, type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { listPlans, printPlans } from './print-plan.ts'
import { printQuality } from './print-quality.ts'
import { revisionInput } from './revision-options.ts'

export const modelsListCommand = defineCommand({
  path: 'models list',
  summary: 'Lists the registered models.',
  options: [dataOption],
  example: 'fitment models list',
  lists: true,
  watched: true,
  input: z.object(dataInput),
  run: async ({ data }, io) => {
    const all = await connectPlanner(data).call('models.list', {})
    io.result(all, () => (all.length > 0 ? listOf(all) : 'no model is registered yet'))
    return 0
  },
})

export const modelsShowCommand = defineCommand({
  path: 'models show',
  summary: 'Shows one model: its limits, its data, and what was chosen for every class and why.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [
    dataOption,
    { flags: '--revision <n>', description: 'an older one, or a tag; the newest where absent' },
  ],
  example: 'fitment models show motor --revision 2',
  lists: true,
  watched: true,
  input: z.object({
    ...dataInput,
    model: z.string(),
    revision: revisionInput.optional(),
  }),
  run: async ({ data, model, revision }, io) => {
    const asked = { model, ...(revision !== undefined && { revision }) }
    const one = await connectPlanner(data).call('models.show', asked)
    io.findings(one.findings)
    io.result(
      one,
      () => detailOf(one),
      () => listPlans(one.plans),
    )
    return 0
  },
})

export const modelsHistoryCommand = defineCommand({
  path: 'models history',
  summary: 'Lists the revisions of a model: whose, how good, and how many devices run each.',
  arguments: [{ name: 'model', description: 'name of a model' }],
  options: [dataOption],
  example: 'fitment models history motor',
  lists: true,
  watched: true,
  input: z.object({ ...dataInput, model: z.string() }),
  run: async ({ data, model }, io) => {
    const all = await connectPlanner(data).call('models.history', { model })
    io.result(all, () => historyOf(all))
    return 0
  },
})

function historyOf(revisions: OperationOutput<'models.history'>): Page {
  return table(
    [
      'REVISION',
      'IN USE',
      'ADDED',
      'BY',
      'DIGEST',
      'SIZE',
      'FLOAT QUALITY',
      'VARIANTS',
      'DEVICES',
      'TAGS',
      'NOTE',
    ],
    revisions.map((one) => [
      String(one.revision),
      one.inUse ? one.intent : '',
      one.registeredAt.slice(0, 16).replace('T', ' '),
      one.by,
      one.source.slice(0, 12),
      cell(one.bytes, formatBytes),
      `${printQuality(one) ?? 'no labels'} of ${one.testSamples}`,
      one.prunedAt === null ? String(one.variants) : `pruned ${one.prunedAt.slice(0, 10)}`,
      String(one.devices),
      one.tags.join(' '),
      one.note ?? '',
    ]),
    { spare: ['DIGEST', 'SIZE', 'BY', 'VARIANTS', 'FLOAT QUALITY', 'ADDED'] },
  )
}

function listOf(models: readonly ModelView[]): Page {
  return table(
    ['MODEL', 'REVISION', 'SIZE', 'OBJECTIVE', 'LIMITS', 'FLOAT ACCURACY', 'CLASSES'],
    models.map((model) => [
      model.name,
      String(model.revision),
      cell(model.bytes, formatBytes),
      model.objective,
      limitsOf(model),
      printQuality(model) ?? 'no labels',
      model.classes.map((row) => `${row.class}: ${row.stage}`).join(', ') || model.intent,
    ]),
    { spare: ['LIMITS', 'SIZE', 'OBJECTIVE'] },
  )
}

function limitsOf({ constraints: c }: ModelView): string {
  return [
    `−${points(c.maxAccuracyDrop)}`,
    c.maxLatencyMs === null ? [] : formatMs(c.maxLatencyMs),
    c.maxMemoryBytes === null ? [] : `${formatBytes(c.maxMemoryBytes)} memory`,
    c.maxBytes === null ? [] : formatBytes(c.maxBytes),
    c.runtimes ? c.runtimes.join(' or ') : [],
  ]
    .flat()
    .join(', ')
}

function detailOf(model: OperationOutput<'models.show'>): Page {
  const { inputs, outputs, operators } = model.facts
  const tensors = (list: typeof inputs) =>
    list
      .map(
        ({ name, type, shape }) =>
          `${name}: ${type}[${shape.map((d) => (d < 0 ? '?' : d)).join('×')}]`,
      )
      .join(', ')
  const rows = [
    ['inputs', tensors(inputs)],
    ['outputs', tensors(outputs)],
    ['operators', operators.map(({ kind, count }) => `${count} ${kind}`).join(', ')],
    ['calibration', `${model.calibrationSamples} samples`],
    ['test', `${model.testSamples} samples${model.labelled ? '' : ', no labels: agreement only'}`],
  ]
  return apart(listOf([model]), facts(rows), printPlans(model.plans))
}
