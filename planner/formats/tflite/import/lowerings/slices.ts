import type { OnnxNode } from '../../../onnx/index.ts'
import type { DraftTensor } from '../../draft.ts'
import { shapeOf, slice } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape } from '../graph-builder.ts'
import { perAxisIn } from '../layout.ts'
import {
  cheapestLayout,
  constantInput,
  input,
  type Lowering,
  type LoweringRow,
  output,
  row,
} from '../lowering.ts'

interface Range {
  readonly begin: number
  readonly step: number
  readonly count: number
}

/** What Slice takes along each axis (onnx, Operators: Slice, with its clamping). */
function rangesOf(node: OnnxNode, graph: GraphBuilder): Range[] {
  const shape = graph.shapeOf(input(node, 0))
  const [starts = [], ends = [], given, stepsGiven] = [1, 2, 3, 4].map(
    (at) => graph.source.integers(input(node, at)) ?? undefined,
  )
  const axes = given ?? starts.map((_, i) => i)
  const steps = stepsGiven ?? starts.map(() => 1)
  const ranges = shape.map((size): Range => ({ begin: 0, step: 1, count: size }))
  for (const [i, axis] of axes.entries()) {
    const at = axis < 0 ? axis + shape.length : axis
    const size = shape[at] as number
    const step = steps[i] as number
    const clamp = (value: number, low: number, high: number) =>
      Math.min(high, Math.max(low, value < 0 ? value + size : value))
    const begin =
      step > 0 ? clamp(starts[i] as number, 0, size) : clamp(starts[i] as number, 0, size - 1)
    const end =
      step > 0 ? clamp(ends[i] as number, 0, size) : clamp(ends[i] as number, -1, size - 1)
    ranges[at] = { begin, step, count: Math.max(0, Math.ceil((end - begin) / step)) }
  }
  return ranges
}

const sliced: Lowering = (node, graph) => {
  const name = input(node, 0)
  const shape = graph.shapeOf(name)
  const layout = cheapestLayout(graph, [name], shape.length)
  const ranges = perAxisIn(layout, rangesOf(node, graph))
  const sizes = ranges.map(({ count }) => count)
  need(!sizes.includes(0), 'it takes nothing: its result has no elements')
  graph.give(output(node), layout, stridedSlice(graph, graph.value(name, layout), ranges))
}

/** Ranks up to which the kernel slices. */
const SLICE_RANK = 5

export function stridedSlice(
  graph: GraphBuilder,
  from: DraftTensor,
  ranges: readonly Range[],
): DraftTensor {
  const sizes = ranges.map(({ count }) => count)
  const shape = shapeOf(from)
  if (
    ranges.every(
      ({ begin, step, count }, axis) => begin === 0 && step === 1 && count === shape[axis],
    )
  )
    return from
  if (shape.length > SLICE_RANK) return slicedInPieces(graph, from, ranges)
  const steps = ranges.map(({ step }) => step)
  if (steps.every((step) => step === 1)) {
    return slice(
      graph,
      from,
      ranges.map(({ begin }) => begin),
      sizes,
    )
  }
  const ends = ranges.map(({ begin, step, count }) => begin + step * count)
  // An end before the first element cannot be written: from the end, −1 would be the last one.
  const endMask = ends.reduce((mask, end, axis) => (end < 0 ? mask | (1 << axis) : mask), 0)
  const inputs = [
    from,
    graph.int32s(
      'begin',
      ranges.map(({ begin }) => begin),
    ),
    graph.int32s(
      'end',
      ends.map((end) => Math.max(0, end)),
    ),
    graph.int32s('strides', steps),
  ]
  const masks = {
    beginMask: 0,
    endMask,
    ellipsisMask: 0,
    newAxisMask: 0,
    shrinkAxisMask: 0,
    offset: false,
  }
  return graph.compute('STRIDED_SLICE', inputs, sizes, masks)
}

/** Axis by axis, all others in two groups. */
function slicedInPieces(
  graph: GraphBuilder,
  from: DraftTensor,
  ranges: readonly Range[],
): DraftTensor {
  return ranges.reduce((value, range, axis) => {
    const shape = shapeOf(value)
    const size = shape[axis] as number
    if (range.begin === 0 && range.step === 1 && range.count === size) return value
    const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
    const [before, after] = [product(shape.slice(0, axis)), product(shape.slice(axis + 1))]
    const all = (count: number): Range => ({ begin: 0, step: 1, count })
    const cut = stridedSlice(graph, reshape(graph, value, [before, size, after]), [
      all(before),
      range,
      all(after),
    ])
    return reshape(graph, cut, shape.with(axis, range.count))
  }, from)
}

export const SLICES: Readonly<Record<string, LoweringRow>> = {
  Slice: row(
    sliced,
    constantInput(1, 'begin'),
    constantInput(2, 'end'),
    constantInput(3, 'axes'),
    constantInput(4, 'steps'),
  ),
}
