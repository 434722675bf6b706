import { nodeTimes } from '../../../shared/runtime/onnxruntime/profile.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { Graph, OperatorId, OperatorTimes } from '../../graph/index.ts'
import { readOnnx, writeOnnx } from './codec.ts'
import type { OnnxNode } from './model.ts'

/** Nodes that turn numbers into others, or lay them out anew: what a border between float and integers costs. */
const CONVERSIONS = new Set(['QuantizeLinear', 'DequantizeLinear'])
const LAYOUTS = new Set(['Transpose', 'ReorderInput', 'ReorderOutput'])

/** What the optimiser adds to the name of a node, or of the output it is named after. */
const SUFFIX = /(_nchwc|_token_\d+)$/

/** Where the time of a file goes that was made from the model of this graph, operator by operator. */
export async function operatorTimes(
  bytes: Uint8Array,
  graph: Graph,
  inputs: Readonly<Record<string, Tensor>>,
  ms: number,
): Promise<OperatorTimes> {
  const model = readOnnx(bytes)
  const nodes = model.graph?.node ?? []
  nameAll(nodes)
  const owners = ownersIn(nodes, graph)
  const operators = new Map<OperatorId, number>()
  const conversions: { elements: number; us: number }[] = []
  const times = await nodeTimes(writeOnnx(model), inputs, ms)
  for (const { name, type, us, elements } of times) {
    const owner = CONVERSIONS.has(type) ? undefined : ownerOf(name, owners)
    if (owner !== undefined) operators.set(owner, (operators.get(owner) ?? 0) + us)
    else if (CONVERSIONS.has(type) || LAYOUTS.has(type)) conversions.push({ elements, us })
  }
  const leastUs = times.reduce((least, { us }) => Math.min(least, us), Number.POSITIVE_INFINITY)
  return { operators, conversions, leastUs: times.length === 0 ? 0 : leastUs }
}

/** The profile knows nodes by their names. */
function nameAll(nodes: readonly OnnxNode[]): void {
  for (const node of nodes) if (node.name === '') node.name = node.output[0] ?? ''
}

type Owners = ReadonlyMap<string, OperatorId>

function ownerOf(name: string, owners: Owners): OperatorId | undefined {
  const owner = owners.get(name)
  if (owner !== undefined || !SUFFIX.test(name)) return owner
  return ownerOf(name.replace(SUFFIX, ''), owners)
}

/** By names of nodes and of what they give out: the operator of whose result each is a part. */
function ownersIn(nodes: readonly OnnxNode[], graph: Graph): Owners {
  const made = new Map(
    graph.operators.flatMap(({ id, outputs }) =>
      outputs.map((output) => [graph.tensors[output]?.name ?? '', id] as const),
    ),
  )
  const readers = new Map<string, OnnxNode>()
  for (const node of nodes) for (const input of node.input) readers.set(input, node)
  const owners = new Map<string, OperatorId>(made)
  for (const node of nodes) {
    if (CONVERSIONS.has(node.opType)) continue
    const owner = follow(node, made, readers)
    if (owner === undefined) continue
    for (const name of [node.name, ...node.output]) if (name !== '') owners.set(name, owner)
  }
  return owners
}

/** A product, its activation and its conversions are nodes in a row; the last one's output is the operator's. */
function follow(
  start: OnnxNode,
  made: Owners,
  readers: ReadonlyMap<string, OnnxNode>,
): OperatorId | undefined {
  let node: OnnxNode | undefined = start
  for (let steps = 0; node !== undefined && steps < 4; steps += 1) {
    const name: string = node.output[0] ?? ''
    const owner = made.get(name)
    if (owner !== undefined) return owner
    node = readers.get(name)
  }
  return undefined
}
