import { ImportError } from '../errors.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { type Layout, shapeIn } from '../layout.ts'
import {
  clip,
  commonLayout,
  defineActivated,
  elementwise,
  input,
  type Lowering,
  option,
  output,
  type SourceOperator,
} from '../lowering.ts'

/** Operands of a broadcasting operator, all in one layout. */
function operands(
  operator: SourceOperator,
  graph: GraphBuilder,
): { layout: Layout; names: string[] } {
  const layout = commonLayout(graph, operator.inputs)
  return { layout, names: operator.inputs.map((index) => broadcastable(graph, index, layout)) }
}

/** Of a rank below 4, broadcast from the right: in channels-first order it must be spelt out to rank 4. */
function broadcastable(graph: GraphBuilder, index: number, layout: Layout): string {
  const shape = graph.shapeOf(index)
  if (layout === 'native' || shape.length === 4) return graph.value(index, layout)
  if (shape.length === 0) return graph.value(index)
  const full = [...new Array<number>(4 - shape.length).fill(1), ...shape]
  const from = graph.value(index)
  const spelt = graph.compute('Reshape', [from, graph.int64s(`${from}/rank4`, full)], from)
  const moves = full.slice(1, 3).some((dim) => dim !== 1)
  if (moves) return graph.compute('Transpose', [spelt], from, { perm: ['ints', [0, 3, 1, 2]] })
  return graph.compute(
    'Reshape',
    [from, graph.int64s(`${from}/first`, shapeIn(layout, full))],
    from,
  )
}

function binary(opType: string): Lowering {
  return (operator, graph) => {
    const { layout, names } = operands(operator, graph)
    defineActivated(operator, graph, layout, (name) => graph.node(opType, names, [name]))
  }
}

const squaredDifference: Lowering = (operator, graph) => {
  const { layout, names } = operands(operator, graph)
  const result = graph.define(output(operator), layout)
  const difference = graph.compute('Sub', names, result)
  graph.node('Mul', [difference, difference], [result])
}

const notEqual: Lowering = (operator, graph) => {
  const { layout, names } = operands(operator, graph)
  const result = graph.define(output(operator), layout)
  graph.node('Not', [graph.compute('Equal', names, result)], [result])
}

/** Rounds down, where integers of ONNX are cut off towards zero. */
const floorDiv: Lowering = (operator, graph) => {
  onlyFloats(operator, graph)
  const { layout, names } = operands(operator, graph)
  const result = graph.define(output(operator), layout)
  graph.node('Floor', [graph.compute('Div', names, result)], [result])
}

/** The remainder takes the divisor's sign; that of fmod has the dividend's. */
const floorMod: Lowering = (operator, graph) => {
  onlyFloats(operator, graph)
  const { layout, names } = operands(operator, graph)
  const [dividend = '', divisor = ''] = names
  const result = graph.define(output(operator), layout)
  const fmod = { fmod: ['int', 1] } as const
  const rest = graph.compute('Mod', [dividend, divisor], result, fmod)
  graph.node('Mod', [graph.compute('Add', [rest, divisor], result), divisor], [result], fmod)
}

function onlyFloats(operator: SourceOperator, graph: GraphBuilder): void {
  if (graph.typeOf(input(operator, 0)) === 'float32') return
  throw new ImportError('unsupported-model', `${operator.kind} of integers has no ONNX form here`)
}

/** x in, one result out, in the layout where x is. */
function unary(
  body: (graph: GraphBuilder, x: string, result: string, operator: SourceOperator) => void,
): Lowering {
  return (operator, graph) => {
    const layout = commonLayout(graph, [input(operator, 0)])
    const x = graph.value(input(operator, 0), layout)
    body(graph, x, graph.define(output(operator), layout), operator)
  }
}

function clipped(low: number, high: number): Lowering {
  return unary((graph, x, result) => clip(graph, x, result, low, high))
}

const rsqrt = unary((graph, x, result) =>
  graph.node('Reciprocal', [graph.compute('Sqrt', [x], result)], [result]),
)

const square = unary((graph, x, result) => graph.node('Mul', [x, x], [result]))

const leakyRelu = unary((graph, x, result, operator) =>
  graph.node('LeakyRelu', [x], [result], { alpha: ['float', option(operator, 'alpha', 0.01)] }),
)

/** 0.5·x·(1 + erf(x/√2)), or the tanh form where the source asks for it (Hendrycks & Gimpel 2016). */
const gelu = unary((graph, x, result, operator) => {
  const number = (value: number) => graph.scalar(`${result}/c`, 'float32', value)
  const half = graph.compute('Mul', [x, number(0.5)], result)
  const inner = option(operator, 'approximate', false)
    ? tanhPart(graph, x, result)
    : erfPart(graph, x, result)
  graph.node('Mul', [half, graph.compute('Add', [inner, number(1)], result)], [result])
})

function erfPart(graph: GraphBuilder, x: string, result: string): string {
  const scale = graph.scalar(`${result}/c`, 'float32', Math.SQRT1_2)
  return graph.compute('Erf', [graph.compute('Mul', [x, scale], result)], result)
}

function tanhPart(graph: GraphBuilder, x: string, result: string): string {
  const number = (value: number) => graph.scalar(`${result}/c`, 'float32', value)
  const cube = graph.compute('Mul', [graph.compute('Mul', [x, x], result), x], result)
  const sum = graph.compute(
    'Add',
    [x, graph.compute('Mul', [cube, number(0.044715)], result)],
    result,
  )
  return graph.compute(
    'Tanh',
    [graph.compute('Mul', [sum, number(Math.sqrt(2 / Math.PI))], result)],
    result,
  )
}

const prelu: Lowering = (operator, graph) => {
  const { layout, names } = operands(operator, graph)
  graph.node('PRelu', names, [graph.define(output(operator), layout)])
}

/** A condition of rank 1 picks whole rows of higher ranks (SELECT only): its trailing dimensions are spelt out. */
const selectRows: Lowering = (operator, graph) => {
  const [condition, first] = [input(operator, 0), input(operator, 1)]
  const rank = graph.shapeOf(first).length
  if (graph.shapeOf(condition).length !== 1 || rank <= 1) return select(operator, graph)
  const result = graph.define(output(operator), 'native')
  const rows = graph.int64s(`${result}/rows`, [-1, ...new Array<number>(rank - 1).fill(1)])
  const spelt = graph.compute('Reshape', [graph.value(condition), rows], result)
  const choices = operator.inputs.slice(1).map((index) => graph.value(index))
  graph.node('Where', [spelt, ...choices], [result])
}

const select: Lowering = (operator, graph) => {
  const { layout, names } = operands(operator, graph)
  graph.node('Where', names, [graph.define(output(operator), layout)])
}

export const ARITHMETIC: Readonly<Record<string, Lowering>> = {
  ADD: binary('Add'),
  SUB: binary('Sub'),
  MUL: binary('Mul'),
  DIV: binary('Div'),
  POW: binary('Pow'),
  MAXIMUM: binary('Max'),
  MINIMUM: binary('Min'),
  EQUAL: binary('Equal'),
  GREATER: binary('Greater'),
  GREATER_EQUAL: binary('GreaterOrEqual'),
  LESS: binary('Less'),
  LESS_EQUAL: binary('LessOrEqual'),
  LOGICAL_AND: binary('And'),
  LOGICAL_OR: binary('Or'),
  NOT_EQUAL: notEqual,
  SQUARED_DIFFERENCE: squaredDifference,
  FLOOR_DIV: floorDiv,
  FLOOR_MOD: floorMod,
  ADD_N: binary('Sum'),
  SELECT: selectRows,
  SELECT_V2: select,
  PRELU: prelu,
  LOGICAL_NOT: elementwise('Not'),
  RELU: elementwise('Relu'),
  RELU6: clipped(0, 6),
  RELU_N1_TO_1: clipped(-1, 1),
  RELU_0_TO_1: clipped(0, 1),
  LEAKY_RELU: leakyRelu,
  ELU: elementwise('Elu'),
  LOGISTIC: elementwise('Sigmoid'),
  TANH: elementwise('Tanh'),
  HARD_SWISH: elementwise('HardSwish'),
  GELU: gelu,
  EXP: elementwise('Exp'),
  LOG: elementwise('Log'),
  SQRT: elementwise('Sqrt'),
  RSQRT: rsqrt,
  SQUARE: square,
  ABS: elementwise('Abs'),
  NEG: elementwise('Neg'),
  SIN: elementwise('Sin'),
  COS: elementwise('Cos'),
  FLOOR: elementwise('Floor'),
  CEIL: elementwise('Ceil'),
  ROUND: elementwise('Round'),
  SIGN: elementwise('Sign'),
}
