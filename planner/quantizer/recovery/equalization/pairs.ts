import type { Graph, GraphOperator, GraphTensor, TensorId } from '../../../graph/index.ts'
import { type Links, usesOf } from '../../../graph/index.ts'

/** Two products of which the second alone reads what the first gives, channel by channel. */
export interface Pair {
  readonly first: GraphOperator
  readonly second: GraphOperator
  /** What the second one reads. */
  readonly between: TensorId
  /** All that lies between them: it scales with the channels. */
  readonly tensors: readonly TensorId[]
  /** Where channels must stay below this, because a ReLU6 clips them; infinite where nothing does. */
  readonly ceiling: number
}

/** f(s·x) = s·f(x) for s > 0, in each channel by itself. */
const SCALES_THROUGH: ReadonlySet<string> = new Set([
  'relu',
  'leaky-relu',
  'max-pool',
  'average-pool',
  'pad',
])
const PRODUCTS: ReadonlySet<string> = new Set(['conv', 'depthwise-conv', 'fully-connected'])

const CEILINGS: Readonly<Record<string, number>> = {
  none: Number.POSITIVE_INFINITY,
  relu: Number.POSITIVE_INFINITY,
  relu6: 6,
}

/** All pairs, in order of execution. */
export function pairsOf(graph: Graph, links: Links): Pair[] {
  return graph.operators.flatMap((first) => {
    const pair = isOwnProduct(first, graph, links) ? follow(first, graph, links) : null
    return pair ?? []
  })
}

function follow(first: GraphOperator, graph: Graph, links: Links): Pair | null {
  let ceiling = CEILINGS[first.fusedActivation] ?? 0
  let between = first.outputs[0]
  const tensors: TensorId[] = []
  while (between !== undefined && ceiling > 0) {
    tensors.push(between)
    const reader = onlyReader(between, graph, links)
    if (reader === null) return null
    if (isOwnProduct(reader, graph, links)) {
      const fits = channelsFit(first, reader, graph)
      return fits ? { first, second: reader, between, tensors, ceiling } : null
    }
    ceiling = Math.min(ceiling, ceilingBehind(reader))
    between = reader.outputs[0]
  }
  return null
}

function onlyReader(tensor: TensorId, graph: Graph, links: Links): GraphOperator | null {
  const [use, ...others] = usesOf(links, tensor)
  if (use?.kind !== 'input' || others.length > 0) return null
  const reader = graph.operators[use.operator]
  return reader?.inputs[use.position]?.role === 'activation' ? reader : null
}

/** 0 where an operator does something else to its channels than scale, or cut them off. */
function ceilingBehind({ kind, fusedActivation }: GraphOperator): number {
  // An .onnx Clip is one, too, and named by its bounds.
  if (kind === 'relu6') return fusedActivation === 'none' ? 6 : (CEILINGS[fusedActivation] ?? 0)
  return SCALES_THROUGH.has(kind) ? (CEILINGS[fusedActivation] ?? 0) : 0
}

/** A product whose weight and bias are float constants that nobody else reads. */
function isOwnProduct(operator: GraphOperator, graph: Graph, links: Links): boolean {
  if (!PRODUCTS.has(operator.kind) || operator.window === null) return false
  return operator.inputs.every(({ tensor, role }) => {
    if (role !== 'weight' && role !== 'bias') return true
    if (tensor === null) return role === 'bias'
    const constant = graph.tensors[tensor]
    const own = usesOf(links, tensor).length === 1 && !sharesStorage(constant, graph)
    return own && constant?.type === 'float32' && constant.constant !== null
  })
}

function sharesStorage(tensor: GraphTensor | undefined, graph: Graph): boolean {
  const storage = tensor?.constant?.storage
  return graph.tensors.filter(({ constant }) => constant?.storage === storage).length > 1
}

/** The second reads each channel of the first as one of its own: no groups, and no flattened images. */
function channelsFit(first: GraphOperator, second: GraphOperator, graph: Graph): boolean {
  const given = outputChannels(first, graph)
  const input = second.inputs.find(({ role }) => role === 'weight')
  const shape = graph.tensors[input?.tensor ?? -1]?.shape ?? []
  if (input === undefined || given === 0) return false
  if (input.inputAxis !== null) return shape[input.inputAxis] === given
  return outputChannels(second, graph) % given === 0
}

function outputChannels({ inputs }: GraphOperator, graph: Graph): number {
  const input = inputs.find(({ role }) => role === 'weight')
  const shape = graph.tensors[input?.tensor ?? -1]?.shape ?? []
  return input === undefined || input.channelAxis === null ? 0 : (shape[input.channelAxis] ?? 0)
}
