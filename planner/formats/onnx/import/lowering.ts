import type { TflUnion } from '../../tflite/index.ts'
import type { Attributes, GraphBuilder } from './graph-builder.ts'
import type { Layout } from './layout.ts'

/** One operator of the source, as a lowering sees it. */
export interface SourceOperator {
  readonly kind: string
  /** Tensor indices; -1 where an optional input is absent. */
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly options: TflUnion | null
}

/** Says one operator of TensorFlow Lite in operators of ONNX, opset 17. */
export type Lowering = (operator: SourceOperator, graph: GraphBuilder) => void

export function input(operator: SourceOperator, position: number): number {
  return operator.inputs[position] ?? -1
}

export function output(operator: SourceOperator, position = 0): number {
  return operator.outputs[position] ?? -1
}

type Widened<T> = T extends number
  ? number
  : T extends string
    ? string
    : T extends boolean
      ? boolean
      : T

export function option<T>(operator: SourceOperator, name: string, fallback: T): Widened<T> {
  return (operator.options?.[name] ?? fallback) as Widened<T>
}

const ONE = { low: -1, high: 1 }
const SIX = { low: 0, high: 6 }

/** Fused activation → the node that follows. */
const FUSED: Readonly<Record<string, 'Relu' | 'Tanh' | typeof ONE>> = {
  RELU: 'Relu',
  TANH: 'Tanh',
  RELU6: SIX,
  RELU_N1_TO_1: ONE,
}

/**
 * Defines the operator's result: `produce` adds the node that computes the given name, and the fused
 * activation follows where there is one.
 */
export function defineActivated(
  operator: SourceOperator,
  graph: GraphBuilder,
  layout: Layout,
  produce: (name: string) => void,
): void {
  const fused = FUSED[option(operator, 'fusedActivationFunction', 'NONE')]
  const result = graph.define(output(operator), layout)
  if (fused === undefined) {
    produce(result)
    return
  }
  const before = graph.fresh(`${result}/linear`)
  produce(before)
  if (typeof fused === 'string') graph.node(fused, [before], [result])
  else clip(graph, before, result, fused.low, fused.high)
}

export function clip(
  graph: GraphBuilder,
  from: string,
  to: string,
  low: number,
  high: number,
): void {
  const bounds = [low, high].map((bound) => graph.scalar(`${to}/bound`, 'float32', bound))
  graph.node('Clip', [from, ...bounds], [to])
}

/** The layout in which an operator that treats all elements alike should run: where its inputs are. */
export function commonLayout(graph: GraphBuilder, tensors: readonly number[]): Layout {
  const homes = tensors.filter((index) => index >= 0).map((index) => graph.homeOf(index))
  return homes.includes('channels-first') ? 'channels-first' : 'native'
}

/** Same node type for every element, in whatever layout the input is. */
export function elementwise(opType: string, attributes: Attributes = {}): Lowering {
  return (operator, graph) => {
    const layout = commonLayout(graph, [input(operator, 0)])
    const from = graph.value(input(operator, 0), layout)
    graph.node(opType, [from], [graph.define(output(operator), layout)], attributes)
  }
}
