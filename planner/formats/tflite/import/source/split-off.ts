import type { Finding } from '../../../../../shared/findings.ts'
import {
  dataOf,
  newMessage,
  type OnnxGraph,
  type OnnxNode,
  readOnnx,
  writeOnnx,
} from '../../../onnx/index.ts'
import { readsOf, sweep } from '../../../onnx/source.ts'

/** Operators that end a model: how many rows they give depends on the numbers, which no .tflite tensor allows. */
const ENDING: ReadonlySet<string> = new Set(['NonMaxSuppression'])

/** Operators whose results say nothing of the numbers that they are given. */
const OF_SIZES: ReadonlySet<string> = new Set(['Shape', 'Size'])

export interface SplitOff {
  /** The source up to there: its outputs are what the rest would have read. */
  readonly bytes: Uint8Array
  readonly finding: Finding
}

/** Leaves out selection of boxes and all that follows it, which callers then do themselves. Null where there is none. */
export function splitOff(bytes: Uint8Array, fileName: string): SplitOff | null {
  const model = readOnnx(bytes, fileName)
  const { graph } = model
  const first = graph?.node.find(({ opType, domain }) => domain === '' && ENDING.has(opType))
  if (graph === undefined || first === undefined) return null
  const left = behind(graph)
  const kept = graph.node.filter((node) => !left.has(node))
  const read = new Set([...left].flatMap(readsOf))
  const lost = new Set([...left].flatMap(({ output }) => output))
  const changing = changedByInputs(graph, kept)
  const outputs = graph.output.filter(({ name }) => !lost.has(name))
  const known = new Set(outputs.map(({ name }) => name))
  const inputs = new Set(graph.input.map(({ name }) => name))
  const ends = kept
    .flatMap(({ output }) => output)
    .filter((name) => read.has(name) && changing.has(name) && !known.has(name) && !inputs.has(name))
  if (outputs.length + ends.length === 0) return null
  graph.node = kept
  graph.output = [...outputs, ...ends.map((name) => newMessage('ValueInfoProto', { name }))]
  const finding = leftOut(graph, first, left.size - 1, ends)
  sweep(graph)
  return { bytes: writeOnnx(model), finding }
}

function behind({ node: nodes }: OnnxGraph): Set<OnnxNode> {
  const found = new Set<OnnxNode>()
  const made = new Set<string>()
  for (const node of nodes) {
    const ends = node.domain === '' && ENDING.has(node.opType)
    if (!ends && !readsOf(node).some((name) => made.has(name))) continue
    found.add(node)
    for (const name of node.output) if (name !== '') made.add(name)
  }
  return found
}

/** Values that differ with the numbers of the inputs: sizes alone are known before the model runs. */
function changedByInputs(graph: OnnxGraph, nodes: readonly OnnxNode[]): Set<string> {
  const constants = new Set(graph.initializer.map(({ name }) => name))
  const found = new Set(graph.input.map(({ name }) => name).filter((name) => !constants.has(name)))
  for (const node of nodes) {
    if (OF_SIZES.has(node.opType) || !readsOf(node).some((name) => found.has(name))) continue
    for (const name of node.output) found.add(name)
  }
  return found
}

/** Inputs 2 to 4 of the operator (onnx, Operators: NonMaxSuppression). */
const SETTINGS = ['at most', 'overlap', 'score above'] as const

function leftOut(
  graph: OnnxGraph,
  node: OnnxNode,
  others: number,
  ends: readonly string[],
): Finding {
  const settings = SETTINGS.flatMap((word, i) => {
    const constant = graph.initializer.find(({ name }) => name === node.input[2 + i])
    return constant === undefined ? [] : [`${word} ${Number(dataOf(constant)[0])}`]
  })
  const rest = others === 0 ? '' : ` and the ${others} operators behind it`
  const given = ends.map((name) => `"${name}"`).join(', ')
  return {
    code: 'split-off',
    severity: 'warning',
    message: `${node.opType} "${node.name || node.output[0]}"${settings.length === 0 ? '' : ` (${settings.join(', ')})`}${rest} are left out, as it gives as many rows as it finds: the application does that with ${given}, which the .tflite model gives instead`,
  }
}
