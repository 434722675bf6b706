import { z } from 'zod'
import { formatBytes, formatMs } from '../../../shared/units.ts'
import { connectPlanner, type ModelView, type OperationOutput } from '../../api/index.ts'
import { points } from '../../selection/index.ts'
import { defineCommand } from '../program/command.ts'
import { dataInput, dataOption } from '../program/fleet-options.ts'
import { table } from '../program/io.ts'
import { printPlans } from './print-plan.ts'
import { printQuality } from './print-quality.ts'

export const modelsListCommand = defineCommand({
  path: 'models list',
  summary: 'Lists the registered models.',
  options: [dataOption],
  example: 'fitment models list',
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
  options: [dataOption],
  example: 'fitment models show motor',
  input: z.object({ ...dataInput, model: z.string() }),
  run: async ({ data, model }, io) => {
    const one = await connectPlanner(data).call('models.show', { model })
    io.findings(one.findings)
    io.result(one, () => detailOf(one))
    return 0
  },
})

function listOf(models: readonly ModelView[]): string {
  return table(
    ['MODEL', 'REVISION', 'SIZE', 'OBJECTIVE', 'LIMITS', 'FLOAT ACCURACY', 'CLASSES'],
    models.map((model) => [
      model.name,
      String(model.revision),
      formatBytes(model.bytes),
      model.objective,
      limitsOf(model),
      printQuality(model) ?? 'no labels',
      model.classes.map((row) => `${row.class}: ${row.stage}`).join(', ') || model.intent,
    ]),
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

function detailOf(model: OperationOutput<'models.show'>): string {
  const { facts } = model
  const tensors = (list: typeof facts.inputs) =>
    list
      .map(
        ({ name, type, shape }) =>
          `${name}: ${type}[${shape.map((d) => (d < 0 ? '?' : d)).join('×')}]`,
      )
      .join(', ')
  const rows = [
    ['inputs', tensors(facts.inputs)],
    ['outputs', tensors(facts.outputs)],
    ['operators', facts.operators.map(({ kind, count }) => `${count} ${kind}`).join(', ')],
    ['calibration', `${model.calibrationSamples} samples`],
    ['test', `${model.testSamples} samples${model.labelled ? '' : ', no labels: agreement only'}`],
  ]
  return [listOf([model]), table(['FACT', 'VALUE'], rows), printPlans(model.plans)]
    .filter((part) => part !== '')
    .join('\n\n')
}
