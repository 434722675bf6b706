import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, intOf, intsOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, cast, div, pointwise, reduce, shapeOf, sub } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import { axisIn, type Layout } from '../layout.ts'
import {
  cheapestLayout,
  constantInput,
  input,
  type Lowering,
  type LoweringRow,
  output,
  positiveAxes,
  row,
} from '../lowering.ts'

type Reduction = (graph: GraphBuilder, x: DraftTensor, axes: readonly number[]) => DraftTensor

const by =
  (code: string): Reduction =>
  (graph, x, axes) =>
    reduce(graph, code, x, axes)

const square = (graph: GraphBuilder, x: DraftTensor) => pointwise(graph, 'SQUARE', [x])
const log = (graph: GraphBuilder, x: DraftTensor) => pointwise(graph, 'LOG', [x])
const magnitude = (graph: GraphBuilder, x: DraftTensor) => pointwise(graph, 'ABS', [x])

/** The largest is taken out first, so that nothing overflows. */
const logSumExp: Reduction = (graph, x, axes) => {
  const largest = reduce(graph, 'REDUCE_MAX', x, axes)
  const rest = reduce(graph, 'SUM', pointwise(graph, 'EXP', [sub(graph, x, largest)]), axes)
  return add(graph, log(graph, rest), largest)
}

function axesOf(node: OnnxNode, graph: GraphBuilder, rank: number): number[] | null {
  const given = graph.source.integers(input(node, 1)) ?? intsOf(node, 'axes')
  if (given !== undefined && given.length > 0) return positiveAxes(given, rank)
  if (intOf(node, 'noop_with_empty_axes', 0) === 1) return null
  return Array.from({ length: rank }, (_, axis) => axis)
}

function reduction(formula: Reduction): LoweringRow {
  return row(
    (node, graph) => {
      const name = input(node, 0)
      const rank = graph.shapeOf(name).length
      const axes = axesOf(node, graph, rank)
      const keeps = intOf(node, 'keepdims', 1) === 1
      if (axes === null || rank === 0)
        return graph.give(
          output(node),
          graph.homeOf(name) ?? 'source',
          graph.value(name, graph.homeOf(name)),
        )
      const layout = layoutFor(graph, name, axes, keeps)
      const given = graph.value(name, layout)
      const x = given.fields.type === 'BOOL' ? cast(graph, given, 'INT32') : given
      need(
        ['FLOAT32', 'INT32', 'INT64'].includes(x.fields.type),
        `no kernel takes ${x.fields.type}`,
      )
      const reduced = formula(
        graph,
        x,
        axes.map((axis) => axisIn(layout, axis, rank)).sort((a, b) => a - b),
      )
      if (keeps) return graph.give(output(node), layout, reduced)
      const kept = graph.shapeOf(output(node))
      graph.give(output(node), 'source', reshape(graph, merged(graph, reduced), kept))
    },
    constantInput(1, 'list of axes'),
  )
}

/** Axes that vanish may leave the others in another order than the source's: then it is turned back first. */
function layoutFor(
  graph: GraphBuilder,
  name: string,
  axes: readonly number[],
  keeps: boolean,
): Layout {
  const rank = graph.shapeOf(name).length
  const layout = cheapestLayout(graph, [name], rank)
  if (layout === 'source' || keeps) return layout
  const left = Array.from({ length: rank }, (_, axis) => axis).filter(
    (axis) => !axes.includes(axis),
  )
  const places = left.map((axis) => axisIn(layout, axis, rank))
  const inOrder = places.every((place, i) => i === 0 || place > (places[i - 1] as number))
  return inOrder ? layout : 'source'
}

/** A reduction whose axes vanish is one operator: what was kept is dropped where it was made. */
function merged(graph: GraphBuilder, reduced: DraftTensor): DraftTensor {
  const last = graph.operators.at(-1)
  const options = last?.fields.builtinOptions
  if (last?.outputs[0] !== reduced || options?.type !== 'ReducerOptions') return reduced
  const [from, list] = last.inputs as [DraftTensor, DraftTensor]
  const axes = new Int32Array((list.data as Uint8Array).slice().buffer)
  last.fields = { ...last.fields, builtinOptions: { ...options, keepDims: false } }
  reduced.fields.shape = shapeOf(from).filter((_, axis) => !axes.includes(axis))
  return reduced
}

function argument(code: 'ARG_MAX' | 'ARG_MIN'): LoweringRow {
  return row(
    (node, graph) => {
      const name = input(node, 0)
      const shape = graph.shapeOf(name)
      const keeps = intOf(node, 'keepdims', 1) === 1
      const axis = intOf(node, 'axis', 0)
      const layout = layoutFor(graph, name, positiveAxes([axis], shape.length), keeps)
      const x = graph.value(name, layout)
      need(
        ['FLOAT32', 'INT32', 'INT8', 'UINT8'].includes(x.fields.type),
        `no kernel takes ${x.fields.type}`,
      )
      const at = axisIn(layout, axis, shape.length)
      const sizes = shapeOf(x).toSpliced(at, 1)
      const found = graph.compute(
        code,
        [x, graph.scalar(at, 'int32')],
        sizes,
        { outputType: 'INT64' },
        'INT64',
      )
      const whole = keeps ? reshape(graph, found, shapeOf(x).with(at, 1)) : found
      graph.give(output(node), keeps ? layout : 'source', whole)
    },
    (node) =>
      intOf(node, 'select_last_index', 0) === 1 ? 'it wants the last of equal elements' : null,
  )
}

/** The kernel knows the last axis alone. */
function alongLast(
  compute: (graph: GraphBuilder, x: DraftTensor, node: OnnxNode) => DraftTensor,
): Lowering {
  return (node, graph) => {
    const name = input(node, 0)
    const rank = graph.shapeOf(name).length
    const axis = intOf(node, 'axis', -1)
    const layouts = (['source', 'channels-last'] as const).filter(
      (one) => one === 'source' || (rank >= 3 && rank <= 5),
    )
    const home = graph.homeOf(name) ?? 'source'
    const fitting = [home, ...layouts].find((layout) => axisIn(layout, axis, rank) === rank - 1)
    if (fitting !== undefined)
      return graph.give(output(node), fitting, compute(graph, graph.value(name, fitting), node))
    const x = graph.value(name, home)
    const at = axisIn(home, axis, rank)
    const swap = Array.from({ length: rank }, (_, i) =>
      i === at ? rank - 1 : i === rank - 1 ? at : i,
    )
    graph.give(output(node), home, turn(graph, compute(graph, turn(graph, x, swap), node), swap))
  }
}

/** Computes and states what TFLite's own softmax of rank 1 lacks. */
const softmax = (code: 'SOFTMAX' | 'LOG_SOFTMAX') =>
  alongLast((graph, x) => {
    const options = code === 'SOFTMAX' ? { beta: 1 } : {}
    const shape = shapeOf(x)
    const whole = shape.length === 0 ? reshape(graph, x, [1]) : x
    return reshape(graph, graph.compute(code, [whole], shapeOf(whole), options), shape)
  })

const lpNormalization: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  const layout = cheapestLayout(graph, [name], rank)
  const x = graph.value(name, layout)
  const axes = [axisIn(layout, intOf(node, 'axis', -1), rank)]
  const norm =
    intOf(node, 'p', 2) === 1
      ? reduce(graph, 'SUM', magnitude(graph, x), axes)
      : pointwise(graph, 'SQRT', [reduce(graph, 'SUM', square(graph, x), axes)])
  graph.give(output(node), layout, div(graph, x, norm))
}

/** ONNX averages the squares over the window, the kernel adds them up. */
const localResponse: Lowering = (node, graph) => {
  const size = intOf(node, 'size', 1)
  need(size % 2 === 1, 'its window has no middle')
  need(graph.shapeOf(input(node, 0)).length === 4, 'it works on images alone')
  const x = graph.value(input(node, 0), 'channels-last')
  const options = {
    radius: (size - 1) / 2,
    bias: floatOf(node, 'bias', 1),
    alpha: floatOf(node, 'alpha', 1e-4) / size,
    beta: floatOf(node, 'beta', 0.75),
  }
  graph.give(
    output(node),
    'channels-last',
    graph.compute('LOCAL_RESPONSE_NORMALIZATION', [x], shapeOf(x), options),
  )
}

const cumulative: Lowering = (node, graph) => {
  const x = graph.value(input(node, 0))
  const axis = graph.source.integers(input(node, 1))?.[0] ?? 0
  const at = graph.scalar(axis < 0 ? axis + shapeOf(x).length : axis, 'int32')
  const options = {
    exclusive: intOf(node, 'exclusive', 0) === 1,
    reverse: intOf(node, 'reverse', 0) === 1,
  }
  graph.give(output(node), 'source', graph.compute('CUMSUM', [x, at], shapeOf(x), options))
}

export const REDUCTIONS: Readonly<Record<string, LoweringRow>> = {
  ReduceMean: reduction(by('MEAN')),
  ReduceSum: reduction(by('SUM')),
  ReduceMax: reduction(by('REDUCE_MAX')),
  ReduceMin: reduction(by('REDUCE_MIN')),
  ReduceProd: reduction(by('REDUCE_PROD')),
  ReduceL1: reduction((graph, x, axes) => reduce(graph, 'SUM', magnitude(graph, x), axes)),
  ReduceL2: reduction((graph, x, axes) =>
    pointwise(graph, 'SQRT', [reduce(graph, 'SUM', square(graph, x), axes)]),
  ),
  ReduceSumSquare: reduction((graph, x, axes) => reduce(graph, 'SUM', square(graph, x), axes)),
  ReduceLogSum: reduction((graph, x, axes) => log(graph, reduce(graph, 'SUM', x, axes))),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: argument('ARG_MAX'),
  ArgMin: argument('ARG_MIN'),
  Softmax: row(softmax('SOFTMAX')),
  LogSoftmax: row(softmax('LOG_SOFTMAX')),
  LpNormalization: row(lpNormalization),
  LRN: row(localResponse),
  CumSum: row(cumulative, constantInput(1, 'axis')),
}
