import { sizeOf } from '../../../../../shared/tensors.ts'
import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, intOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, counting, mul, pointwise, reduce, rowsAt, shapeOf, sub } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape } from '../graph-builder.ts'
import { axisIn, hasChannels, type Layout } from '../layout.ts'
import {
  cheapestLayout,
  hasInput,
  input,
  type Lowering,
  type LoweringRow,
  onlyFirstOutput,
  operand,
  output,
  row,
} from '../lowering.ts'

/** (x − mean) / √(variance + epsilon) over `axes`. */
function standardised(
  graph: GraphBuilder,
  x: DraftTensor,
  axes: readonly number[],
  epsilon: number,
): DraftTensor {
  const centred = sub(graph, x, reduce(graph, 'MEAN', x, axes))
  return rescaled(graph, centred, axes, epsilon)
}

/** x / √(mean of squares + epsilon) over `axes`. */
function rescaled(
  graph: GraphBuilder,
  x: DraftTensor,
  axes: readonly number[],
  epsilon: number,
): DraftTensor {
  const squares = reduce(graph, 'MEAN', pointwise(graph, 'SQUARE', [x]), axes)
  const root = pointwise(graph, 'RSQRT', [add(graph, squares, graph.scalar(epsilon))])
  return mul(graph, x, root)
}

/** One number per channel, as an operand of values in `layout`. */
function perChannel(graph: GraphBuilder, name: string, layout: Layout, rank: number): DraftTensor {
  const [channels = 1] = graph.shapeOf(name)
  if (layout === 'channels-last' || rank === 2) return graph.value(name)
  const shape = [channels, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]
  return reshape(graph, graph.value(name), shape)
}

const channelsLayout = (rank: number): Layout => (hasChannels(rank) ? 'channels-last' : 'source')

const batchNormalization: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  const layout = channelsLayout(rank)
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((at) =>
    perChannel(graph, input(node, at), layout, rank),
  ) as [DraftTensor, DraftTensor, DraftTensor, DraftTensor]
  const epsilon = graph.scalar(floatOf(node, 'epsilon', 1e-5))
  const x = graph.value(name, layout)
  const { factor, shift } = [scale, bias, mean, variance].every(({ data }) => data !== null)
    ? storedStatistics(graph, [scale, bias, mean, variance], floatOf(node, 'epsilon', 1e-5))
    : {
        factor: mul(graph, scale, pointwise(graph, 'RSQRT', [add(graph, variance, epsilon)])),
        shift: null,
      }
  const shifted = shift === null ? mul(graph, sub(graph, x, mean), factor) : mul(graph, x, factor)
  graph.give(output(node), layout, add(graph, shifted, shift ?? bias))
}

function storedStatistics(graph: GraphBuilder, stored: readonly DraftTensor[], epsilon: number) {
  const [scale, bias, mean, variance] = stored.map(
    ({ data }) => new Float32Array((data as Uint8Array).slice().buffer),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array]
  const factor = variance.map((value, i) => (scale[i] as number) / Math.sqrt(value + epsilon))
  const shift = factor.map((value, i) => (bias[i] as number) - (mean[i] as number) * value)
  const shape = shapeOf(stored[0] as DraftTensor)
  return {
    factor: graph.floats('scale', shape, factor),
    shift: graph.floats('shift', shape, shift),
  }
}

const instanceNormalization: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  need(hasChannels(rank), `it works on values of rank ${rank}`)
  const x = graph.value(name, 'channels-last')
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 1)
  const even = standardised(graph, x, spatial, floatOf(node, 'epsilon', 1e-5))
  const [scale, bias] = [1, 2].map((at) =>
    perChannel(graph, input(node, at), 'channels-last', rank),
  ) as [DraftTensor, DraftTensor]
  graph.give(output(node), 'channels-last', add(graph, mul(graph, even, scale), bias))
}

/** Since opset 21 one scale per channel, before one per group. */
const groupNormalization: Lowering = (node, graph) => {
  const name = input(node, 0)
  const shape = graph.shapeOf(name)
  need(hasChannels(shape.length), `it works on values of rank ${shape.length}`)
  const groups = intOf(node, 'num_groups', 1)
  const [batch = 1, channels = 1, ...spatial] = shape
  const x = graph.value(name, 'channels-last')
  const split = reshape(graph, x, [batch, sizeOf(spatial), groups, channels / groups])
  const even = reshape(
    graph,
    standardised(graph, split, [1, 3], floatOf(node, 'epsilon', 1e-5)),
    shapeOf(x),
  )
  const each = [1, 2].map((at) => {
    const stored = graph.source.constant(input(node, at))
    if (stored === null || stored.data.length === channels) return graph.value(input(node, at))
    const repeated = Float32Array.from({ length: channels }, (_, i) =>
      Number(stored.data[Math.floor(i / (channels / groups))]),
    )
    return graph.floats(input(node, at), [channels], repeated)
  }) as [DraftTensor, DraftTensor]
  graph.give(output(node), 'channels-last', add(graph, mul(graph, even, each[0]), each[1]))
}

interface Normalizing {
  readonly formula: typeof standardised
  readonly epsilon: number
}

/** Over all axes from one on; scale and bias are of the axes' shape. */
function overLast({ formula, epsilon }: Normalizing): Lowering {
  return (node, graph) => {
    const name = input(node, 0)
    const rank = graph.shapeOf(name).length
    const axis = intOf(node, 'axis', -1)
    const from = axis < 0 ? axis + rank : axis
    const axes = Array.from({ length: rank - from }, (_, i) => from + i)
    const layout = cheapestLayout(graph, [name], rank)
    const x = graph.value(name, layout)
    const even = formula(
      graph,
      x,
      axes.map((one) => axisIn(layout, one, rank)).sort((a, b) => a - b),
      floatOf(node, 'epsilon', epsilon),
    )
    graph.give(output(node), layout, affine(graph, even, node, { layout, rank, scale: 1, bias: 2 }))
  }
}

interface Affine {
  readonly layout: Layout
  readonly rank: number
  /** Positions of the inputs. */
  readonly scale: number
  readonly bias: number
}

function affine(
  graph: GraphBuilder,
  x: DraftTensor,
  node: OnnxNode,
  { layout, rank, scale, bias }: Affine,
): DraftTensor {
  const scaled = hasInput(node, scale)
    ? mul(graph, x, operand(graph, input(node, scale), layout, rank))
    : x
  return hasInput(node, bias)
    ? add(graph, scaled, operand(graph, input(node, bias), layout, rank))
    : scaled
}

/** input + skip (+ bias), then the norm; the sum is the fourth output. */
function skipped(
  { formula, epsilon }: Normalizing,
  positions: { readonly beta: number; readonly bias: number },
): Lowering {
  return (node, graph) => {
    const rank = graph.shapeOf(input(node, 0)).length
    const sides = add(graph, graph.value(input(node, 0)), graph.value(input(node, 1)))
    const sum = hasInput(node, positions.bias)
      ? add(graph, sides, graph.value(input(node, positions.bias)))
      : sides
    if (output(node, 3) !== '') graph.give(output(node, 3), 'source', sum)
    const even = formula(graph, sum, [rank - 1], floatOf(node, 'epsilon', epsilon))
    graph.give(
      output(node),
      'source',
      affine(graph, even, node, { layout: 'source', rank, scale: 2, bias: positions.beta }),
    )
  }
}

/** Rows of three tables by word, place and segment, added up and normalised (onnxruntime, ContribOperators). */
const embedded: Lowering = (node, graph) => {
  const words = graph.value(input(node, 0))
  const [batch = 1, length = 1] = shapeOf(words)
  const rowsOf = (table: number, indices: DraftTensor) =>
    rowsAt(graph, graph.value(input(node, table)), indices)
  const places = hasInput(node, 8) ? graph.value(input(node, 8)) : counting(graph, length)
  const ofWords = add(graph, rowsOf(2, words), rowsOf(3, places))
  const sum = hasInput(node, 1)
    ? add(graph, ofWords, rowsOf(4, graph.value(input(node, 1))))
    : ofWords
  const even = standardised(graph, sum, [2], floatOf(node, 'epsilon', 1e-12))
  const whole = { layout: 'source', rank: 3, scale: 5, bias: 6 } as const
  graph.give(output(node), 'source', affine(graph, even, node, whole))
  if (output(node, 2) !== '') graph.give(output(node, 2), 'source', sum)
  if (output(node, 1) === '') return
  const counts = hasInput(node, 7)
    ? reduce(graph, 'SUM', graph.value(input(node, 7)), [1], false)
    : graph.constant('mask', 'int32', [batch], new Int32Array(batch))
  graph.give(output(node, 1), 'source', counts)
}

const meanVariance: Lowering = (node, graph) => {
  const name = input(node, 0)
  const rank = graph.shapeOf(name).length
  const layout = cheapestLayout(graph, [name], rank)
  const given = node.attribute.find((one) => one.name === 'axes')?.ints.map(Number) ?? [0, 2, 3]
  const axes = given.map((one) => axisIn(layout, one, rank)).sort((a, b) => a - b)
  graph.give(output(node), layout, standardised(graph, graph.value(name, layout), axes, 1e-9))
}

const LAYER: Normalizing = { formula: standardised, epsilon: 1e-5 }
const ROOT: Normalizing = { formula: rescaled, epsilon: 1e-5 }
const others = onlyFirstOutput('mean or deviation')

export const NORMALIZATIONS: Readonly<Record<string, LoweringRow>> = {
  BatchNormalization: row(
    batchNormalization,
    (node) => (intOf(node, 'training_mode', 0) === 0 ? null : 'it learns, as in training'),
    onlyFirstOutput('running statistics'),
  ),
  InstanceNormalization: row(instanceNormalization),
  GroupNormalization: row(groupNormalization),
  LayerNormalization: row(overLast(LAYER), others),
  RMSNormalization: row(overLast(ROOT)),
  SimplifiedLayerNormalization: row(overLast(ROOT), others),
  MeanVarianceNormalization: row(meanVariance),
  'com.microsoft.SkipLayerNormalization': row(
    skipped({ ...LAYER, epsilon: 1e-12 }, { beta: 3, bias: 4 }),
  ),
  'com.microsoft.EmbedLayerNormalization': row(embedded),
  'com.microsoft.SkipSimplifiedLayerNormalization': row(
    skipped({ ...ROOT, epsilon: 1e-12 }, { beta: -1, bias: 3 }),
  ),
}
