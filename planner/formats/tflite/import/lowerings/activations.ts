import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, between, cast, div, mul, pointwise, sub } from '../emit.ts'
import { need } from '../errors.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import {
  cheapestLayout,
  hasInput,
  input,
  type Lowering,
  type LoweringRow,
  operand,
  output,
  row,
} from '../lowering.ts'

/** What becomes of every element by itself. */
export type Activation = (graph: GraphBuilder, x: DraftTensor) => DraftTensor
type Formula = (graph: GraphBuilder, x: DraftTensor, node: OnnxNode) => DraftTensor

/** Every element by itself, in whatever layout the value is. */
function each(formula: Formula): Lowering {
  return (node, graph) => {
    const [name = ''] = node.input
    const layout = cheapestLayout(graph, [name], graph.shapeOf(name).length)
    graph.give(output(node), layout, formula(graph, graph.value(name, layout), node))
  }
}

export const one =
  (code: string): Activation =>
  (graph, x) =>
    pointwise(graph, code, [x])
const number = (graph: GraphBuilder, value: number) => graph.scalar(value)

const relu = one('RELU')
const exp = one('EXP')

/** log(1 + eˣ), without overflow. */
export const softplus: Activation = (graph, x) => {
  const tail = exp(graph, pointwise(graph, 'NEG', [pointwise(graph, 'ABS', [x])]))
  return add(graph, relu(graph, x), pointwise(graph, 'LOG', [add(graph, tail, number(graph, 1))]))
}

export const softsign: Activation = (graph, x) =>
  div(graph, x, add(graph, pointwise(graph, 'ABS', [x]), number(graph, 1)))

/** scale · (x where positive, alpha · (e^(x/width) − 1) elsewhere): Elu, Selu and Celu. */
export const exponential =
  ({
    alpha,
    scale = 1,
    width = 1,
  }: {
    alpha: number
    scale?: number
    width?: number
  }): Activation =>
  (graph, x) => {
    const scaled = (tensor: DraftTensor, by: number) =>
      by === 1 ? tensor : mul(graph, tensor, number(graph, by))
    if (alpha === 1 && width === 1) return scaled(pointwise(graph, 'ELU', [x]), scale)
    // ELU of a negative number is e^x − 1, of a positive one itself.
    const negative = pointwise(graph, 'MINIMUM', [x, number(graph, 0)])
    const bent = scaled(pointwise(graph, 'ELU', [scaled(negative, 1 / width)]), alpha)
    return scaled(add(graph, relu(graph, x), bent), scale)
  }

const elu: Formula = (graph, x, node) => exponential({ alpha: floatOf(node, 'alpha', 1) })(graph, x)
const celu: Formula = (graph, x, node) => {
  const alpha = floatOf(node, 'alpha', 1)
  return exponential({ alpha, width: alpha })(graph, x)
}
const selu: Formula = (graph, x, node) =>
  exponential({
    alpha: floatOf(node, 'alpha', 1.6732631921768188),
    scale: floatOf(node, 'gamma', 1.0507010221481323),
  })(graph, x)

export const leakyRelu =
  (alpha: number): Activation =>
  (graph, x) =>
    pointwise(graph, 'LEAKY_RELU', [x], { alpha })

/** alpha · x + beta */
export const line =
  (alpha: number, beta: number): Activation =>
  (graph, x) =>
    add(graph, mul(graph, x, number(graph, alpha)), number(graph, beta))

export const hardSigmoid =
  (alpha: number, beta: number): Activation =>
  (graph, x) =>
    between(graph, line(alpha, beta)(graph, x), 0, 1)

/** Bounds for which kernels have an operator, or fuse one. */
const CLIPS: Readonly<Record<string, string>> = {
  '0:6': 'RELU6',
  '-1:1': 'RELU_N1_TO_1',
  '0:Infinity': 'RELU',
}

const clip: Lowering = (node, graph) => {
  const computed = [1, 2].some(
    (position) => hasInput(node, position) && graph.source.constant(input(node, position)) === null,
  )
  if (computed) return clipBetweenValues(node, graph)
  const [low, high] = [1, 2].map((position) => boundOf(node, graph, position)) as [number, number]
  each((graph, x) => {
    const code = x.fields.type === 'FLOAT32' ? CLIPS[`${low}:${high}`] : undefined
    return code === undefined ? between(graph, x, low, high) : pointwise(graph, code, [x])
  })(node, graph)
}

/** Bounds at the ends of the type's range bound nothing. */
function boundOf(node: OnnxNode, graph: GraphBuilder, position: number): number {
  const constant = graph.source.constant(input(node, position))
  const none = position === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const value = constant === null ? none : Number(constant.data[0])
  return Math.abs(value) > (constant?.type === 'float32' ? 3e38 : 2 ** 53) ? none : value
}

const clipBetweenValues: Lowering = (node, graph) => {
  const x = graph.value(input(node, 0))
  const bounded = ['MAXIMUM', 'MINIMUM'].reduce(
    (value, code, i) =>
      hasInput(node, i + 1)
        ? pointwise(graph, code, [value, graph.value(input(node, i + 1))])
        : value,
    x,
  )
  graph.give(output(node), 'source', bounded)
}

const prelu: Lowering = (node, graph) => {
  const [data = '', slope = ''] = node.input
  const rank = graph.shapeOf(data).length
  const layout = cheapestLayout(graph, [data], rank)
  const x = graph.value(data, layout)
  const alpha = operand(graph, slope, layout, rank)
  const sizes = alpha.fields.shape as number[]
  if (graph.source.constant(slope) !== null && sizes.length < rank && rank <= 4) {
    // The kernel wants one axis less than its data has.
    alpha.fields.shape = [...new Array<number>(rank - 1 - sizes.length).fill(1), ...sizes]
    return graph.give(
      output(node),
      layout,
      graph.compute('PRELU', [x, alpha], x.fields.shape as number[]),
    )
  }
  const negative = pointwise(graph, 'MINIMUM', [x, graph.scalar(0, x)])
  graph.give(
    output(node),
    layout,
    add(graph, pointwise(graph, 'RELU', [x]), mul(graph, negative, alpha)),
  )
}

const gelu: Formula = (graph, x, node) =>
  pointwise(graph, 'GELU', [x], { approximate: stringOf(node, 'approximate', 'none') === 'tanh' })

const sigmoid = one('LOGISTIC')

/** x · sigmoid(alpha · x) */
const swish: Formula = (graph, x, node) => {
  const alpha = floatOf(node, 'alpha', 1)
  return mul(graph, x, sigmoid(graph, alpha === 1 ? x : mul(graph, x, number(graph, alpha))))
}

/** x above alpha, 0 elsewhere. */
export const thresholded =
  (alpha: number): Activation =>
  (graph, x) => {
    const above = pointwise(graph, 'GREATER', [x, number(graph, alpha)], {}, 'BOOL')
    return pointwise(graph, 'SELECT_V2', [above, x, number(graph, 0)], {}, x.fields.type)
  }

const shrink: Formula = (graph, x, node) => {
  const [lambd, bias] = [floatOf(node, 'lambd', 0.5), floatOf(node, 'bias', 0)]
  const below = pointwise(graph, 'LESS', [x, number(graph, -lambd)], {}, 'BOOL')
  const above = pointwise(graph, 'GREATER', [x, number(graph, lambd)], {}, 'BOOL')
  const select = (flag: DraftTensor, yes: DraftTensor, no: DraftTensor) =>
    pointwise(graph, 'SELECT_V2', [flag, yes, no], {}, x.fields.type)
  const inner = select(above, sub(graph, x, number(graph, bias)), number(graph, 0))
  return select(below, add(graph, x, number(graph, bias)), inner)
}

/** (e^x ± e^−x) / 2 */
const hyperbolic =
  (code: 'ADD' | 'SUB'): Activation =>
  (graph, x) => {
    const sides = [exp(graph, x), exp(graph, pointwise(graph, 'NEG', [x]))]
    return mul(graph, pointwise(graph, code, sides), number(graph, 0.5))
  }

const notANumber: Formula = (graph, x) => pointwise(graph, 'NOT_EQUAL', [x, x], {}, 'BOOL')
const infinite: Formula = (graph, x) =>
  pointwise(
    graph,
    'EQUAL',
    [pointwise(graph, 'ABS', [x]), number(graph, Number.POSITIVE_INFINITY)],
    {},
    'BOOL',
  )

const absolute: Formula = (graph, x) => {
  const wide = x.fields.type === 'INT64'
  if (wide) return pointwise(graph, 'MAXIMUM', [x, pointwise(graph, 'NEG', [x])])
  return pointwise(graph, 'ABS', [x])
}

const sign: Formula = (graph, x) => {
  need(x.fields.type === 'FLOAT32' || x.fields.type === 'INT32', `no kernel takes ${x.fields.type}`)
  return pointwise(graph, 'SIGN', [x])
}

/** Kernels of rounding and of transcendental functions know floats alone. */
function floatEach(formula: Formula): LoweringRow {
  return row(each(formula), (node, { source }) => {
    const type = source.typeOf(input(node, 0))
    return type === 'float32' ? null : `no kernel takes ${type}`
  })
}

const identity: Lowering = (node, graph) => {
  const name = input(node, 0)
  const layout = graph.homeOf(name) ?? 'source'
  graph.give(output(node), layout, graph.value(name, layout))
}

/** The exact GELU is x · Φ(x), and Φ(x) = ½ · (1 + erf(x / √2)). */
const erf: Formula = (graph, z) => {
  const x = mul(graph, z, number(graph, Math.SQRT2))
  const atZero = pointwise(graph, 'EQUAL', [x, number(graph, 0)], {}, 'BOOL')
  const safe = pointwise(graph, 'SELECT_V2', [atZero, number(graph, 1), x], {}, 'FLOAT32')
  const share = div(graph, pointwise(graph, 'GELU', [safe], { approximate: false }), safe)
  const result = sub(graph, mul(graph, share, number(graph, 2)), number(graph, 1))
  return pointwise(graph, 'SELECT_V2', [atZero, number(graph, 0), result], {}, 'FLOAT32')
}

const square = one('SQUARE')
const root = one('SQRT')

/** √(1 − x²) */
const cosine: Activation = (graph, x) => root(graph, sub(graph, number(graph, 1), square(graph, x)))
const arc = (graph: GraphBuilder, y: DraftTensor, x: DraftTensor) =>
  pointwise(graph, 'ATAN2', [y, x])
const ln = one('LOG')

/** The sign apart: for large negative x, x + √(x² + 1) loses all its digits. */
const arsinh: Activation = (graph, x) => {
  const size = pointwise(graph, 'ABS', [x])
  const sum = add(graph, size, root(graph, add(graph, square(graph, x), number(graph, 1))))
  return mul(graph, pointwise(graph, 'SIGN', [x]), ln(graph, sum))
}
const arcosh: Activation = (graph, x) =>
  ln(graph, add(graph, x, root(graph, sub(graph, square(graph, x), number(graph, 1)))))
const artanh: Activation = (graph, x) => {
  const share = div(graph, add(graph, number(graph, 1), x), sub(graph, number(graph, 1), x))
  return mul(graph, ln(graph, share), number(graph, 0.5))
}

const logicalNot: Formula = (graph, x) => pointwise(graph, 'LOGICAL_NOT', [cast(graph, x, 'BOOL')])

export const ACTIVATIONS: Readonly<Record<string, LoweringRow>> = {
  Relu: row(
    each((graph, x) =>
      x.fields.type === 'FLOAT32' ? relu(graph, x) : between(graph, x, 0, Number.POSITIVE_INFINITY),
    ),
  ),
  LeakyRelu: floatEach((graph, x, node) => leakyRelu(floatOf(node, 'alpha', 0.01))(graph, x)),
  PRelu: row(prelu),
  Sigmoid: floatEach(sigmoid),
  Tanh: floatEach(one('TANH')),
  Elu: floatEach(elu),
  Selu: floatEach(selu),
  Celu: floatEach(celu),
  Softplus: floatEach(softplus),
  Softsign: floatEach(softsign),
  Mish: floatEach((graph, x) => mul(graph, x, pointwise(graph, 'TANH', [softplus(graph, x)]))),
  HardSigmoid: floatEach((graph, x, node) =>
    hardSigmoid(floatOf(node, 'alpha', 0.2), floatOf(node, 'beta', 0.5))(graph, x),
  ),
  HardSwish: floatEach(one('HARD_SWISH')),
  ThresholdedRelu: floatEach((graph, x, node) => thresholded(floatOf(node, 'alpha', 1))(graph, x)),
  Shrink: floatEach(shrink),
  Gelu: floatEach(gelu),
  Swish: floatEach(swish),
  'com.microsoft.Gelu': floatEach(gelu),
  'com.microsoft.FastGelu': floatEach((graph, x) =>
    pointwise(graph, 'GELU', [x], { approximate: true }),
  ),
  'com.microsoft.QuickGelu': floatEach((graph, x, node) => {
    const alpha = floatOf(node, 'alpha', 1.702)
    return mul(graph, x, sigmoid(graph, mul(graph, x, number(graph, alpha))))
  }),
  Clip: row(clip),
  Exp: floatEach(exp),
  Log: floatEach(one('LOG')),
  Sqrt: floatEach(one('SQRT')),
  Reciprocal: floatEach((graph, x) => div(graph, number(graph, 1), x)),
  Abs: row(each(absolute)),
  Neg: row(each(one('NEG'))),
  Sign: row(each(sign)),
  Floor: floatEach(one('FLOOR')),
  Ceil: floatEach(one('CEIL')),
  Round: floatEach(one('ROUND')),
  Sin: floatEach(one('SIN')),
  Cos: floatEach(one('COS')),
  Erf: floatEach(erf),
  Asin: floatEach((graph, x) => arc(graph, x, cosine(graph, x))),
  Acos: floatEach((graph, x) => arc(graph, cosine(graph, x), x)),
  Asinh: floatEach(arsinh),
  Acosh: floatEach(arcosh),
  Atanh: floatEach(artanh),
  Tan: floatEach((graph, x) =>
    div(graph, pointwise(graph, 'SIN', [x]), pointwise(graph, 'COS', [x])),
  ),
  Sinh: floatEach(hyperbolic('SUB')),
  Cosh: floatEach(hyperbolic('ADD')),
  Atan: floatEach((graph, x) =>
    pointwise(graph, 'ATAN2', [
      x,
      pointwise(graph, 'ADD', [mul(graph, x, number(graph, 0)), number(graph, 1)]),
    ]),
  ),
  IsNaN: floatEach(notANumber),
  IsInf: row(each(infinite), (node) =>
    node.attribute.some(({ name, i }) => name.startsWith('detect_') && i === 0n)
      ? 'it tells one sign of infinity only'
      : null,
  ),
  Not: row(each(logicalNot)),
  Identity: row(identity),
  Dropout: row(identity, (node, { source }) =>
    hasInput(node, 2) && source.constant(input(node, 2))?.data[0] !== 0
      ? 'it drops at random, as in training'
      : null,
  ),
}
