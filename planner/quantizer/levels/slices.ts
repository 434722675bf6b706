import type { Graph, GraphOperator, Links, OperatorId, TensorId } from '../../graph/index.ts'

/** Channels of an output that belong together: a range of places along an axis. */
export interface Part {
  readonly start: number
  readonly end: number
}

/** Where an output's channels lie, and what they were merged from. */
export interface Channels {
  readonly axis: number
  readonly parts: readonly Part[]
  /** The operator that merged the parts; null where they are one. */
  readonly merge: OperatorId | null
  /** Numbers of all channels share one range by nature: probabilities. */
  readonly alike: boolean
}

/** More channels than this are positions. */
const MOST_CHANNELS = 4096

/** Makers whose every number is a share of 1. */
const PROBABILITIES: ReadonlySet<string> = new Set(['softmax', 'logistic'])

/** Each axis of an output that may count channels: the last, and in models with channels first the second. */
export function channelsOf(
  output: TensorId,
  shape: readonly number[],
  graph: Graph,
  links: Links,
): Channels[] {
  const last = shape.length - 1
  const axes = shape.length > 2 ? [1, last] : [last]
  return [...new Set(axes)]
    .filter((axis) => {
      const count = shape[axis] ?? 0
      return axis > 0 && count > 1 && count <= MOST_CHANNELS
    })
    .map((axis) => ({ axis, ...mergedFrom(output, shape[axis] as number, graph, links) }))
}

/** Follows the channels back to where they met. */
function mergedFrom(output: TensorId, channels: number, graph: Graph, links: Links) {
  const whole = [{ start: 0, end: channels }]
  let tensor = output
  let alike = false
  for (let step = 0; step < graph.operators.length; step += 1) {
    const operator = graph.operators[links.producers[tensor] ?? -1]
    if (operator === undefined) break
    alike ||= PROBABILITIES.has(operator.kind)
    const parts = partsOf(operator, channels, graph)
    if (parts !== null) return { parts, merge: operator.id, alike }
    const source = sourceOf(operator, channels, graph)
    if (source === null) break
    tensor = source
  }
  return { parts: whole, merge: null, alike }
}

/** What a concatenation brings together along the channels; null where it is none, or joins something else. */
function partsOf(operator: GraphOperator, channels: number, graph: Graph): Part[] | null {
  if (operator.kind !== 'concatenation') return null
  const operands = operator.inputs.map(({ tensor }) => graph.tensors[tensor ?? -1]?.shape ?? [])
  const result = graph.tensors[operator.outputs[0] ?? -1]?.shape ?? []
  const axis = result.findIndex(
    (dim, at) => dim === channels && operands.some((shape) => shape[at] !== channels),
  )
  const sizes = operands.map((shape) => shape[axis] ?? 0)
  if (axis < 0 || sizes.reduce((sum, size) => sum + size, 0) !== channels) return null
  let start = 0
  return sizes.map((size) => {
    const part = { start, end: start + size }
    start += size
    return part
  })
}

/** The operand whose channels these are, where they are not mixed with each other. */
function sourceOf(operator: GraphOperator, channels: number, graph: Graph): TensorId | null {
  if (operator.inputs.some(({ role }) => role === 'weight')) return null
  const source = operator.inputs.find(
    ({ tensor, role }) =>
      role === 'activation' &&
      graph.tensors[tensor ?? -1]?.constant === null &&
      graph.tensors[tensor ?? -1]?.shape?.includes(channels),
  )
  return source?.tensor ?? null
}
