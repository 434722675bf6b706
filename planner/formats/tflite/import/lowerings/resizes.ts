import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, floatsOf, intOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { dense, shapeOf } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import { hasChannels, perAxisIn } from '../layout.ts'
import { constantInput, input, type Lowering, type LoweringRow, output, row } from '../lowering.ts'

interface Sampling {
  readonly mode: string
  readonly coordinates: string
  readonly nearest: string
  readonly cubicA: number
  readonly excludeOutside: boolean
  readonly antialias: boolean
}

function samplingOf(node: OnnxNode): Sampling {
  return {
    mode: stringOf(node, 'mode', 'nearest'),
    coordinates: stringOf(node, 'coordinate_transformation_mode', 'half_pixel'),
    nearest: stringOf(node, 'nearest_mode', 'round_prefer_floor'),
    cubicA: floatOf(node, 'cubic_coeff_a', -0.75),
    excludeOutside: intOf(node, 'exclude_outside', 0) === 1,
    antialias: intOf(node, 'antialias', 0) === 1,
  }
}

/** Result coordinate → source coordinate. */
const COORDINATES: Readonly<
  Record<string, (at: number, axis: { from: number; to: number; scale: number }) => number>
> = {
  half_pixel: (at, { scale }) => (at + 0.5) / scale - 0.5,
  half_pixel_symmetric: (at, { from, to, scale }) => {
    const adjustment = to / (scale * from)
    const centre = from / 2
    return centre * (1 - adjustment) + (at + 0.5) / scale - 0.5
  },
  pytorch_half_pixel: (at, { to, scale }) => (to > 1 ? (at + 0.5) / scale - 0.5 : 0),
  align_corners: (at, { from, to }) => (to === 1 ? 0 : (at * (from - 1)) / (to - 1)),
  asymmetric: (at, { scale }) => at / scale,
  /** TensorFlow Lite's nearest with centres: the pixel in which the centre falls. */
  centre: (at, { scale }) => (at + 0.5) / scale,
}

const NEAREST: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

/**
 * One axis of a Resize as a matrix: row o holds what each source element gives to result element o
 * (onnx, Operators: Resize; keys' cubic with coefficient a).
 */
function axisMatrix(from: number, to: number, scale: number, how: Sampling): number[][] {
  const coordinate = COORDINATES[how.coordinates]
  need(coordinate !== undefined, `no kernel resizes with coordinates "${how.coordinates}"`)
  need(!how.antialias || scale >= 1, 'it smooths while it shrinks (antialias)')
  return Array.from({ length: to }, (_, at) => {
    const x = Math.fround(coordinate(at, { from, to, scale }))
    const weights = new Array<number>(from).fill(0)
    const put = (index: number, weight: number) => {
      const inside = Math.min(from - 1, Math.max(0, index))
      weights[inside] = (weights[inside] as number) + weight
    }
    if (how.mode === 'nearest') put((NEAREST[how.nearest] ?? Math.floor)(x), 1)
    else if (how.mode === 'linear') {
      const inside = Math.min(from - 1, Math.max(0, x))
      const low = Math.floor(inside)
      put(low, 1 - (inside - low))
      put(low + 1, inside - low)
    } else cubic(x, from, how, put)
    return weights
  })
}

/** Keys' kernel (1981) over the four neighbours. */
function cubic(
  x: number,
  from: number,
  { cubicA: a, excludeOutside }: Sampling,
  put: (index: number, weight: number) => void,
): void {
  const low = Math.floor(x)
  const kernel = (distance: number) => {
    const d = Math.abs(distance)
    if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
    return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0
  }
  const taps = [-1, 0, 1, 2].map((step) => ({ index: low + step, weight: kernel(x - low - step) }))
  const kept = excludeOutside ? taps.filter(({ index }) => index >= 0 && index < from) : taps
  const sum = excludeOutside ? kept.reduce((total, { weight }) => total + weight, 0) : 1
  for (const { index, weight } of kept) put(index, weight / sum)
}

const resize: Lowering = (node, graph) => {
  const name = input(node, 0)
  const [from, to] = [graph.shapeOf(name), graph.shapeOf(output(node))]
  const how = samplingOf(node)
  const scales = scalesOf(node, graph, from, to)
  const changed = from.flatMap((size, axis) =>
    size === to[axis] && (scales[axis] as number) === 1 ? [] : [axis],
  )
  const x =
    graph.homeOf(name) === 'channels-last' || hasChannels(from.length) ? 'channels-last' : 'source'
  const kernel = x === 'channels-last' ? kernelFor(from, to, scales, how) : null
  const data = graph.value(name, x)
  if (changed.length === 0) return graph.give(output(node), x, data)
  if (kernel !== null && changed.every((axis) => axis >= 2)) {
    return graph.give(output(node), 'channels-last', byKernel(graph, data, to, kernel))
  }
  need(how.coordinates !== 'tf_crop_and_resize', 'no kernel crops and resizes')
  const order = perAxisIn(
    x,
    from.map((_, axis) => axis),
  )
  const result = changed.reduce((value, axis) => {
    const matrix = axisMatrix(from[axis] as number, to[axis] as number, scales[axis] as number, how)
    return byMatrix(graph, value, order.indexOf(axis), matrix)
  }, data)
  graph.give(output(node), x, result)
}

function scalesOf(
  node: OnnxNode,
  graph: GraphBuilder,
  from: readonly number[],
  to: readonly number[],
): number[] {
  const axes =
    node.attribute.find((one) => one.name === 'axes')?.ints.map(Number) ??
    from.map((_, axis) => axis)
  const given = graph.source.constant(input(node, 2))?.data ?? floatsOf(node, 'scales') ?? []
  const scales = from.map((size, axis) => (to[axis] as number) / size)
  if (given.length > 0)
    for (const [i, axis] of axes.entries())
      scales[axis < 0 ? axis + from.length : axis] = Number(given[i])
  return scales
}

interface ResizeKernel {
  readonly code: 'RESIZE_BILINEAR' | 'RESIZE_NEAREST_NEIGHBOR'
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

/** The kernel whose numbers are those of the node, for images and signals; null where it takes matrices. */
function kernelFor(
  from: readonly number[],
  to: readonly number[],
  scales: readonly number[],
  how: Sampling,
): ResizeKernel | null {
  if (from.length > 4 || how.mode === 'cubic' || how.antialias) return null
  const sizes = from
    .slice(2)
    .map((size, i) => ({ from: size, to: to[i + 2] as number, scale: scales[i + 2] as number }))
  const candidates: ResizeKernel[] = [
    { alignCorners: false, halfPixelCenters: true },
    { alignCorners: false, halfPixelCenters: false },
    { alignCorners: true, halfPixelCenters: false },
  ].map((flags) => ({
    code: how.mode === 'linear' ? 'RESIZE_BILINEAR' : 'RESIZE_NEAREST_NEIGHBOR',
    ...flags,
  }))
  return candidates.find((kernel) => sizes.every((axis) => agrees(kernel, axis, how))) ?? null
}

/** Whether the kernel takes each result element from where the node does. */
function agrees(
  kernel: ResizeKernel,
  axis: { from: number; to: number; scale: number },
  how: Sampling,
): boolean {
  const theirs = axisMatrix(axis.from, axis.to, axis.scale, how)
  const ours = axisMatrix(axis.from, axis.to, axis.to / axis.from, {
    ...how,
    coordinates: kernel.alignCorners
      ? 'align_corners'
      : kernel.halfPixelCenters
        ? kernel.code === 'RESIZE_BILINEAR'
          ? 'half_pixel'
          : 'centre'
        : 'asymmetric',
    nearest: kernel.alignCorners ? 'round_prefer_ceil' : 'floor',
  })
  return theirs.every((row, i) =>
    row.every((weight, j) => Math.abs(weight - (ours[i]?.[j] as number)) < 1e-6),
  )
}

function byKernel(
  graph: GraphBuilder,
  x: DraftTensor,
  to: readonly number[],
  { code, ...flags }: ResizeKernel,
): DraftTensor {
  const [batch = 1, channels = 1, ...spatial] = to
  const shape = shapeOf(x)
  const image =
    shape.length === 3
      ? reshape(graph, x, [shape[0] as number, 1, shape[1] as number, shape[2] as number])
      : x
  const [height = 1, width = 1] = spatial.length === 1 ? [1, ...spatial] : spatial
  const result = graph.compute(
    code,
    [image, graph.int32s('size', [height, width])],
    [batch, height, width, channels],
    flags,
  )
  return shape.length === 3 ? reshape(graph, result, [batch, width, channels]) : result
}

/** The axis to the end, a matrix product, and back. */
function byMatrix(
  graph: GraphBuilder,
  x: DraftTensor,
  axis: number,
  matrix: readonly (readonly number[])[],
): DraftTensor {
  const rank = shapeOf(x).length
  const swap = Array.from({ length: rank }, (_, i) =>
    i === axis ? rank - 1 : i === rank - 1 ? axis : i,
  )
  const weights = graph.floats('resize', [matrix.length, matrix[0]?.length ?? 0], matrix.flat())
  return turn(graph, dense(graph, turn(graph, x, swap), weights, null), swap)
}

export const RESIZES: Readonly<Record<string, LoweringRow>> = {
  Resize: row(
    resize,
    constantInput(2, 'list of scales'),
    constantInput(3, 'list of sizes'),
    constantInput(1, 'region'),
  ),
}
