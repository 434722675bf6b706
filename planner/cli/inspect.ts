import { basename } from 'node:path'
import { z } from 'zod'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { formatBytes } from '../../shared/units.ts'
import type { InspectedTensor, Inspection } from '../formats/inspection.ts'
import { inspectOnnx } from '../formats/onnx/inspect.ts'
import { inspectTflite } from '../formats/tflite/inspect.ts'
import { defineCommand } from './command.ts'
import { table } from './io.ts'
import { readModelFile } from './model-file.ts'

const INSPECTORS: Record<ModelFormat, (bytes: Uint8Array, name: string) => Inspection> = {
  tflite: inspectTflite,
  onnx: inspectOnnx,
}

export const inspectCommand = defineCommand({
  path: 'inspect',
  summary: 'Lists what a model file holds: inputs, outputs, operators, constants, versions.',
  arguments: [{ name: 'model', description: '.tflite or .onnx file' }],
  example: 'fitment inspect model.tflite',
  input: z.object({ model: z.string() }),
  run: async ({ model }, io) => {
    const file = await readModelFile(model)
    const inspection = INSPECTORS[file.format](file.bytes, basename(model))
    io.result(inspection, () => forPeople(inspection))
    return 0
  },
})

function forPeople(inspection: Inspection): string {
  const { constants, versions, operators } = inspection
  const facts = [
    ['format', `${inspection.format}, ${formatBytes(inspection.bytes)}`],
    ['producer', inspection.producer ?? '—'],
    ['versions', list(versions)],
    ...inspection.inputs.map((tensor) => ['input', printTensor(tensor)]),
    ...inspection.outputs.map((tensor) => ['output', printTensor(tensor)]),
    ['constants', `${constants.count} (elements: ${list(constants.types)})`],
    ['subgraphs', String(inspection.subgraphs)],
  ]
  const rows = operators.map(({ operator, count, kind, integerKernel }) => [
    operator,
    String(count),
    kind,
    integerKernel ? 'yes' : 'no',
  ])
  return `${table(['FACT', 'VALUE'], facts)}\n\n${table(['OPERATOR', 'COUNT', 'KIND', 'INTEGER KERNEL'], rows)}`
}

function printTensor({ name, type, shape }: InspectedTensor): string {
  return `${name}: ${type}[${shape.map((dim) => (dim < 0 ? '?' : dim)).join('×')}]`
}

function list(entries: Readonly<Record<string, string | number>>): string {
  return Object.entries(entries)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
