import { basename } from 'node:path'
import { z } from 'zod'
import type { ModelFormat } from '../../../shared/runtime/index.ts'
import { formatBytes } from '../../../shared/units.ts'
import { loadProfiles, type Profile } from '../../classes/index.ts'
import { inspectOnnx } from '../../formats/onnx/index.ts'
import { inspectTflite } from '../../formats/tflite/index.ts'
import type { InspectedTensor, Inspection } from '../../graph/index.ts'
import { referenceTarget } from '../../targets/index.ts'
import { apart, facts, type Page, table } from '../print/page.ts'
import { defineCommand } from '../program/command.ts'
import { acceleratorsFor, printAccelerators } from './inspect-accelerators.ts'
import { otherFormatOf, printOtherFormat } from './inspect-conversion.ts'
import { readModelFile } from './model-file.ts'

const INSPECTORS: Record<ModelFormat, (bytes: Uint8Array, name: string) => Inspection> = {
  tflite: inspectTflite,
  onnx: inspectOnnx,
}

export const inspectCommand = defineCommand({
  path: 'inspect',
  summary:
    'Lists what a model file holds: inputs, outputs, operators and their integer kernels, constants, versions; which device classes cannot run it, what of it accelerators leave to the CPU, and what keeps it from the other format.',
  arguments: [{ name: 'model', description: '.tflite or .onnx file' }],
  example: 'fitment inspect model.tflite',
  input: z.object({ model: z.string() }),
  run: async ({ model }, io) => {
    const file = await readModelFile(model)
    const inspection = INSPECTORS[file.format](file.bytes, basename(model))
    const profiles = await loadProfiles()
    const classes = classesFor(inspection, file.format, profiles)
    const accelerators = acceleratorsFor(inspection, file.format)
    const other = await otherFormatOf(file)
    io.result({ ...inspection, classes, accelerators, other }, () =>
      apart(
        forPeople(inspection, classes),
        printAccelerators(accelerators),
        printOtherFormat(other),
      ),
    )
    return 0
  },
})

interface Classes {
  readonly can: readonly string[]
  readonly cannot: readonly { readonly class: string; readonly why: string }[]
}

/** The file as it is: what a fleet's planner could turn it into is not asked here. */
function classesFor(
  { operators }: Inspection,
  format: ModelFormat,
  profiles: readonly Profile[],
): Classes {
  const lacking = operators.flatMap(({ obstacle }) => obstacle ?? [])
  const judged = profiles.map(({ id, runtimes }) => {
    const { supported, why } = runtimes[referenceTarget(format)]
    return { class: id, why: supported ? lacking.join('; ') : why }
  })
  judged.sort((a, b) => (a.class < b.class ? -1 : 1))
  return {
    can: judged.filter(({ why }) => why === '').map((one) => one.class),
    cannot: judged.filter(({ why }) => why !== ''),
  }
}

function forPeople(inspection: Inspection, classes: Classes): Page {
  const { constants, versions, operators } = inspection
  const types = list(constants.types)
  const known = [
    ['format', `${inspection.format}, ${formatBytes(inspection.bytes)}`],
    ['producer', inspection.producer ?? '—'],
    ['versions', list(versions)],
    ...inspection.inputs.map((tensor) => ['input', printTensor(tensor)]),
    ...inspection.outputs.map((tensor) => ['output', printTensor(tensor)]),
    ['constants', types === '' ? 'none' : `${constants.count} (elements: ${types})`],
    ['subgraphs', String(inspection.subgraphs)],
  ]
  const rows = operators.map(({ operator, count, kind, integerKernel, obstacle }) => [
    operator,
    String(count),
    kind,
    integerKernel ? 'yes' : 'no',
    obstacle === null ? 'yes' : 'no',
  ])
  const head = ['OPERATOR', 'COUNT', 'KIND', 'INTEGER KERNEL', 'RUNS']
  return apart(facts(known), table(head, rows), printClasses(classes))
}

function printClasses({ can, cannot }: Classes): string {
  const reasons = new Map<string, string[]>()
  for (const { class: id, why } of cannot) reasons.set(why, [...(reasons.get(why) ?? []), id])
  if (can.length === 0 && reasons.size === 1) return `no device class can run it: ${cannot[0]?.why}`
  const lines = [...reasons].map(([why, ids]) => `cannot run it: ${ids.join(', ')}: ${why}`)
  const some = cannot.length === 0 ? `all ${can.length}` : String(can.length)
  return [`${some} device classes can run it`, ...lines].join('\n')
}

function printTensor({ name, type, shape }: InspectedTensor): string {
  return `${name}: ${type}[${shape.map((dim) => (dim < 0 ? '?' : dim)).join('×')}]`
}

function list(entries: Readonly<Record<string, string | number>>): string {
  return Object.entries(entries)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
