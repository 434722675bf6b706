import { DATA_TYPES } from '../../schema.ts'
import { elementType } from '../element-types.ts'
import { ImportError } from '../errors.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import { axisIn } from '../layout.ts'
import {
  commonLayout,
  input,
  type Lowering,
  option,
  output,
  type SourceOperator,
} from '../lowering.ts'

/** ReduceSum takes its axes as an input since opset 13; the others as an attribute until 18. */
function reduction(opType: string): Lowering {
  return (operator, graph) => {
    const data = input(operator, 0)
    const rank = graph.shapeOf(data).length
    const axes = constantAxes(operator, graph)
    const keep = option(operator, 'keepDims', false)
    if (opType === 'ReduceMean' && isGlobalPool(axes, rank))
      return globalPool(operator, graph, keep)
    const layout = keep ? commonLayout(graph, [data]) : 'native'
    const placed = axes.map((axis) => axisIn(layout, axis, rank)).sort((a, b) => a - b)
    const result = graph.define(output(operator), layout)
    const from = graph.value(data, layout)
    const keepdims = { keepdims: ['int', keep ? 1 : 0] as const }
    if (opType === 'ReduceSum') {
      graph.node(opType, [from, graph.int64s(`${result}/axes`, placed)], [result], keepdims)
    } else {
      graph.node(opType, [from], [result], { axes: ['ints', placed], ...keepdims })
    }
  }
}

/** Of conditions: ONNX reduces numbers only. */
function ofConditions(opType: 'ReduceMax' | 'ReduceMin'): Lowering {
  return (operator, graph) => {
    const axes = constantAxes(operator, graph)
    const result = graph.define(output(operator), 'native')
    const to = (type: 'int32' | 'bool') => ({ to: ['int', DATA_TYPES[type].code] }) as const
    const counts = graph.compute('Cast', [graph.value(input(operator, 0))], result, to('int32'))
    const keepdims = ['int', option(operator, 'keepDims', false) ? 1 : 0] as const
    const reduced = graph.compute(opType, [counts], result, { axes: ['ints', axes], keepdims })
    graph.node('Cast', [reduced], [result], to('bool'))
  }
}

const cumulativeSum: Lowering = (operator, graph) => {
  const [axis = 0] = constantAxes(operator, graph)
  const result = graph.define(output(operator), 'native')
  const flag = (name: string) => ['int', option(operator, name, false) ? 1 : 0] as const
  graph.node(
    'CumSum',
    [graph.value(input(operator, 0)), graph.scalar(`${result}/axis`, 'int64', axis)],
    [result],
    { exclusive: flag('exclusive'), reverse: flag('reverse') },
  )
}

/** Mean over height and width: runtimes have integer kernels for the pool, none for the mean. */
function isGlobalPool(axes: readonly number[], rank: number): boolean {
  return rank === 4 && axes.length === 2 && axes.includes(1) && axes.includes(2)
}

function globalPool(operator: SourceOperator, graph: GraphBuilder, keep: boolean): void {
  const from = graph.value(input(operator, 0), 'channels-first')
  if (keep) {
    graph.node('GlobalAveragePool', [from], [graph.define(output(operator), 'channels-first')])
    return
  }
  const result = graph.define(output(operator), 'native')
  const pooled = graph.compute('GlobalAveragePool', [from], result)
  graph.node('Flatten', [pooled], [result], { axis: ['int', 1] })
}

function argument(opType: 'ArgMax' | 'ArgMin'): Lowering {
  return (operator, graph) => {
    const [data, axisTensor] = [input(operator, 0), input(operator, 1)]
    const rank = graph.shapeOf(data).length
    const [axis = 0] = graph.integers(axisTensor) ?? []
    const result = graph.define(output(operator), 'native')
    const attributes = {
      axis: ['int', axisIn('native', axis, rank)],
      keepdims: ['int', 0],
    } as const
    const found = graph.compute(opType, [graph.value(data)], result, attributes)
    const wanted = elementType(graph.tensor(output(operator)).type)
    graph.node('Cast', [found], [result], { to: ['int', wanted === 'int32' ? 6 : 7] })
  }
}

function constantAxes(operator: SourceOperator, graph: GraphBuilder): number[] {
  const rank = graph.shapeOf(input(operator, 0)).length
  const axes = graph.integers(input(operator, 1))
  if (axes === null)
    throw new ImportError('unsupported-model', `${operator.kind} with axes computed at run time`)
  return axes.map((axis) => (axis < 0 ? axis + rank : axis))
}

export const REDUCTIONS: Readonly<Record<string, Lowering>> = {
  MEAN: reduction('ReduceMean'),
  SUM: reduction('ReduceSum'),
  REDUCE_MAX: reduction('ReduceMax'),
  REDUCE_MIN: reduction('ReduceMin'),
  REDUCE_PROD: reduction('ReduceProd'),
  REDUCE_ANY: ofConditions('ReduceMax'),
  REDUCE_ALL: ofConditions('ReduceMin'),
  CUMSUM: cumulativeSum,
  ARG_MAX: argument('ArgMax'),
  ARG_MIN: argument('ArgMin'),
}
