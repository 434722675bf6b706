import type { OnnxNode } from '../../onnx/index.ts'
import type { DraftTensor } from '../draft.ts'
import { need } from './errors.ts'
import { type GraphBuilder, reshape, turn } from './graph-builder.ts'
import { hasChannels, type Layout, ordersCoincide, toLast } from './layout.ts'

/** Says one node of ONNX in operators of TensorFlow Lite. @throws Refusal with the reason where it cannot */
export type Lowering = (node: OnnxNode, graph: GraphBuilder) => void

/** An operator of ONNX that has a .tflite form: what a node of it must fulfil, and how it is said. */
export interface LoweringRow {
  readonly lower: Lowering
  readonly constraints: readonly Constraint[]
}

/** Why the node has no form; null where it fulfils the constraint. */
export type Constraint = (node: OnnxNode, graph: GraphBuilder) => string | null

export function row(lower: Lowering, ...constraints: Constraint[]): LoweringRow {
  return { lower, constraints }
}

export function input(node: OnnxNode, position: number): string {
  return node.input[position] ?? ''
}

export function output(node: OnnxNode, position = 0): string {
  return node.output[position] ?? ''
}

export function hasInput(node: OnnxNode, position: number): boolean {
  return input(node, position) !== ''
}

/** The input must be a constant. */
export function constantInput(position: number, what: string): Constraint {
  return (node, { source }) =>
    !hasInput(node, position) || source.constant(input(node, position)) !== null
      ? null
      : `its ${what} is computed when the model runs`
}

/** Nobody reads more than the first output. */
export function onlyFirstOutput(what: string): Constraint {
  return (node, { source }) =>
    node.output.slice(1).some((name) => name !== '' && source.isRead(name))
      ? `its ${what} is asked for`
      : null
}

/** Axes as an attribute or, in newer opsets, as a constant input; counted from the front. */
export function positiveAxes(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b)
}

/**
 * The layout in which an operator that treats all elements alike should run: the one that turns the fewest elements
 * of its computed inputs.
 */
export function cheapestLayout(
  graph: GraphBuilder,
  names: readonly string[],
  rank: number,
): Layout {
  if (!hasChannels(rank)) return 'source'
  const costs = { source: 0, 'channels-last': 0 }
  for (const name of names) {
    const home = name === '' ? undefined : graph.homeOf(name)
    if (home === undefined) continue
    const shape = graph.shapeOf(name)
    if (shape.length !== rank || ordersCoincide(shape)) continue
    const size = shape.reduce((product, dim) => product * dim, 1)
    costs[home === 'source' ? 'channels-last' : 'source'] += size
  }
  const homes = names.map((name) => graph.homeOf(name))
  if (costs.source === costs['channels-last']) {
    return homes.includes('channels-last') ? 'channels-last' : 'source'
  }
  return costs.source < costs['channels-last'] ? 'source' : 'channels-last'
}

/** The value as an operand that broadcasts against values of `rank` in `layout`. */
export function operand(
  graph: GraphBuilder,
  name: string,
  layout: Layout,
  rank: number,
): DraftTensor {
  const shape = graph.shapeOf(name)
  if (layout === 'source' || shape.length === 0) return graph.value(name)
  need(shape.length <= rank, `"${name}" has more axes than what it is combined with`)
  const full = [...new Array<number>(rank - shape.length).fill(1), ...shape]
  if (graph.source.constant(name) !== null)
    return trimmed(graph.reordered(name, toLast(rank), full))
  if (shape.length === rank) return graph.value(name, layout)
  return turn(graph, reshape(graph, graph.value(name), full), toLast(rank))
}

/** Leading ones of a constant say nothing, and kernels know vectors best. */
function trimmed(constant: DraftTensor): DraftTensor {
  const shape = constant.fields.shape as number[]
  const first = shape.findIndex((dim) => dim !== 1)
  constant.fields.shape = first < 0 ? [] : shape.slice(first)
  return constant
}
