import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { cast, mul, pointwise, sub } from '../emit.ts'
import { need } from '../errors.ts'
import type { GraphBuilder, Options } from '../graph-builder.ts'
import { typeName } from '../graph-builder.ts'
import {
  cheapestLayout,
  input,
  type Lowering,
  type LoweringRow,
  operand,
  output,
  row,
} from '../lowering.ts'

type Combination = (
  graph: GraphBuilder,
  operands: readonly DraftTensor[],
  node: OnnxNode,
) => DraftTensor

/** Inputs broadcast against each other, in the layout in which most of them are. */
function together(combine: Combination): Lowering {
  return (node, graph) => {
    const rank = graph.shapeOf(output(node)).length
    const layout = cheapestLayout(graph, node.input, rank)
    const operands = node.input.map((name) => operand(graph, name, layout, rank))
    graph.give(output(node), layout, combine(graph, operands, node))
  }
}

/** Two at a time, from the left. */
function folded(code: string, options: Options = {}): Combination {
  return (graph, operands) =>
    operands
      .slice(1)
      .reduce(
        (sum, next) => pointwise(graph, code, [sum, next], options),
        operands[0] as DraftTensor,
      )
}

const FUSABLE: Options = { fusedActivationFunction: 'NONE' }

/** Types that the kernel takes; others go through one that it takes and that holds all their values. */
function through(types: readonly string[], wide: string, combine: Combination): Combination {
  return (graph, operands, node) => {
    const type = operands[0]?.fields.type ?? ''
    if (types.includes(type)) return combine(graph, operands, node)
    const result = combine(
      graph,
      operands.map((one) => cast(graph, one, wide)),
      node,
    )
    return result.fields.type === 'BOOL' ? result : cast(graph, result, type)
  }
}

const arithmetic = (code: string) =>
  row(together(through(['FLOAT32', 'INT32', 'INT64'], 'INT32', folded(code, FUSABLE))))

/** Integers are cut towards zero. */
const divide = row(together(through(['FLOAT32', 'INT32'], 'INT32', folded('DIV', FUSABLE))))

const power: Combination = (graph, operands) => {
  const [base, exponent] = operands as [DraftTensor, DraftTensor]
  const typed = cast(graph, exponent, base.fields.type)
  need(
    base.fields.type === 'FLOAT32' || base.fields.type === 'INT32',
    `no kernel takes ${base.fields.type}`,
  )
  const same = uniform(typed)
  if (same === 2) return pointwise(graph, 'SQUARE', [base])
  if (same === 0.5) return pointwise(graph, 'SQRT', [base])
  if (same === -0.5) return pointwise(graph, 'RSQRT', [base])
  if (same === 1) return base
  if (same === 3) return mul(graph, pointwise(graph, 'SQUARE', [base]), base)
  return pointwise(graph, 'POW', [base, typed])
}

/** The one number that a float constant holds; null for all others. */
export function uniform(tensor: DraftTensor): number | null {
  if (tensor.data === null || tensor.fields.type !== 'FLOAT32' || tensor.data.length !== 4)
    return null
  const bytes = tensor.data
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true)
}

const compare = (code: string) =>
  row(
    together(
      through(
        [
          'FLOAT32',
          'INT32',
          'INT64',
          ...(code.endsWith('EQUAL') && code.length < 10 ? ['BOOL'] : []),
        ],
        'INT32',
        (graph, operands) => pointwise(graph, code, operands, {}, 'BOOL'),
      ),
    ),
  )

/** fmod 0: the remainder has the divisor's sign, as FLOOR_MOD's; 1: the dividend's. */
const modulo: Combination = (graph, operands, node) => {
  if (intOf(node, 'fmod', 0) === 0) return pointwise(graph, 'FLOOR_MOD', operands)
  const [x, y] = operands as [DraftTensor, DraftTensor]
  const quotient = pointwise(graph, 'DIV', [x, y])
  const down = pointwise(graph, 'FLOOR', [pointwise(graph, 'ABS', [quotient])])
  return sub(graph, x, mul(graph, mul(graph, down, pointwise(graph, 'SIGN', [quotient])), y))
}

const exclusiveOr: Combination = (graph, operands) =>
  pointwise(graph, 'NOT_EQUAL', operands, {}, 'BOOL')

const where: Lowering = (node, graph) => {
  const rank = graph.shapeOf(output(node)).length
  const layout = cheapestLayout(graph, node.input, rank)
  const [flag, yes, no] = node.input.map((name) => operand(graph, name, layout, rank)) as [
    DraftTensor,
    DraftTensor,
    DraftTensor,
  ]
  const type = yes.fields.type
  graph.give(output(node), layout, pointwise(graph, 'SELECT_V2', [flag, yes, no], {}, type))
}

const mean: Combination = (graph, operands, node) =>
  mul(graph, folded('ADD', FUSABLE)(graph, operands, node), graph.scalar(1 / operands.length))

const CASTABLE: ReadonlySet<string> = new Set([
  'float32',
  'float64',
  'float16',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'bool',
])

const castTo: Lowering = (node, graph) => {
  const name = input(node, 0)
  const type = graph.source.typeOf(output(node))
  need(CASTABLE.has(type), `no kernel casts to ${type}`)
  const layout = cheapestLayout(graph, [name], graph.shapeOf(name).length)
  const x = graph.value(name, layout)
  if (type === 'bool' && x.fields.type !== 'BOOL') {
    // Any number but zero is true; the kernel's cast of floats cuts to integers first.
    return graph.give(
      output(node),
      layout,
      pointwise(graph, 'NOT_EQUAL', [x, graph.scalar(0, x)], {}, 'BOOL'),
    )
  }
  graph.give(output(node), layout, cast(graph, x, typeName(type)))
}

export const ARITHMETIC: Readonly<Record<string, LoweringRow>> = {
  Add: arithmetic('ADD'),
  Sub: arithmetic('SUB'),
  Mul: arithmetic('MUL'),
  Div: divide,
  Sum: arithmetic('ADD'),
  Mean: row(together(mean)),
  Pow: row(together(power)),
  Max: row(together(through(['FLOAT32', 'INT32', 'INT64'], 'INT32', folded('MAXIMUM')))),
  Min: row(together(through(['FLOAT32', 'INT32', 'INT64'], 'INT32', folded('MINIMUM')))),
  Mod: row(together(through(['FLOAT32', 'INT32', 'INT64'], 'INT32', modulo))),
  Equal: compare('EQUAL'),
  Less: compare('LESS'),
  LessOrEqual: compare('LESS_EQUAL'),
  Greater: compare('GREATER'),
  GreaterOrEqual: compare('GREATER_EQUAL'),
  And: row(together(folded('LOGICAL_AND'))),
  Or: row(together(folded('LOGICAL_OR'))),
  Xor: row(together(exclusiveOr)),
  Where: row(where),
  Cast: row(castTo),
  CastLike: row(castTo),
}
