import type { OnnxNode } from '../../../onnx/index.ts'
import { floatOf, floatsOf, intOf, intsOf, stringOf } from '../../../onnx/source.ts'
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
  /** Of tf_crop_and_resize: first and last place of each axis as shares of it, and what lies outside. */
  readonly region: readonly number[]
  readonly outside: number
}

interface Axis {
  readonly from: number
  readonly to: number
  readonly scale: number
  readonly start: number
  readonly end: number
}

function samplingOf(node: OnnxNode, graph: GraphBuilder): Sampling {
  return {
    mode: stringOf(node, 'mode', 'nearest'),
    coordinates: stringOf(node, 'coordinate_transformation_mode', 'half_pixel'),
    nearest: stringOf(node, 'nearest_mode', 'round_prefer_floor'),
    cubicA: floatOf(node, 'cubic_coeff_a', -0.75),
    excludeOutside: intOf(node, 'exclude_outside', 0) === 1,
    antialias: intOf(node, 'antialias', 0) === 1,
    region: Array.from((graph.source.constant(input(node, 1))?.data ?? []) as Float32Array),
    outside: floatOf(node, 'extrapolation_value', 0),
  }
}

/** Result coordinate → source coordinate. */
const COORDINATES: Readonly<Record<string, (at: number, axis: Axis) => number>> = {
  half_pixel: (at, { scale }) => (at + 0.5) / scale - 0.5,
  half_pixel_symmetric: (at, { from, to, scale }) => {
    const adjustment = to / (scale * from)
    const centre = from / 2
    return centre * (1 - adjustment) + (at + 0.5) / scale - 0.5
  },
  pytorch_half_pixel: (at, { to, scale }) => (to > 1 ? (at + 0.5) / scale - 0.5 : 0),
  align_corners: (at, { from, to }) => (to === 1 ? 0 : (at * (from - 1)) / (to - 1)),
  asymmetric: (at, { scale }) => at / scale,
  tf_crop_and_resize: (at, { from, to, start, end }) =>
    to === 1
      ? ((start + end) * (from - 1)) / 2
      : start * (from - 1) + (at * (end - start) * (from - 1)) / (to - 1),
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
function axisMatrix(axis: Axis, how: Sampling): Row[] {
  const { from, to } = axis
  const coordinate = COORDINATES[how.coordinates]
  need(coordinate !== undefined, `no kernel resizes with coordinates "${how.coordinates}"`)
  const crops = how.coordinates === 'tf_crop_and_resize'
  return Array.from({ length: to }, (_, at): Row => {
    const x = Math.fround(coordinate(at, axis))
    const weights = new Array<number>(from).fill(0)
    const put = (index: number, weight: number) => {
      const inside = Math.min(from - 1, Math.max(0, index))
      weights[inside] = (weights[inside] as number) + weight
    }
    if (crops && (x < 0 || x > from - 1)) return { weights, outside: true }
    if (how.antialias && how.mode !== 'nearest') smoothed(x, axis, how, put)
    else if (how.mode === 'nearest') put((NEAREST[how.nearest] ?? Math.floor)(x), 1)
    else if (how.mode === 'linear') {
      const inside = Math.min(from - 1, Math.max(0, x))
      const low = Math.floor(inside)
      put(low, 1 - (inside - low))
      put(low + 1, inside - low)
    } else cubic(x, from, how, put)
    return { weights, outside: false }
  })
}

interface Row {
  readonly weights: readonly number[]
  /** Beside the source: the result is a constant. */
  readonly outside: boolean
}

type Put = (index: number, weight: number) => void

/** While it shrinks, the kernel is as much wider, so that every source element counts (onnx, Operators: Resize, antialias). */
function smoothed(x: number, { from, scale }: Axis, how: Sampling, put: Put): void {
  const narrow = Math.min(1, scale)
  const support = (how.mode === 'linear' ? 1 : 2) / narrow
  const centre = x + 0.5
  const [first, last] = [Math.floor(centre - support + 0.5), Math.floor(centre + support + 0.5)]
  const kernel = how.mode === 'linear' ? triangle : (d: number) => keys(d, how.cubicA)
  const taps = Array.from({ length: last - first }, (_, i) => ({
    index: first + i,
    weight: kernel((first + i - centre + 0.5) * narrow),
  })).filter(({ index }) => !how.excludeOutside || (index >= 0 && index < from))
  const sum = taps.reduce((total, { weight }) => total + weight, 0)
  for (const { index, weight } of taps) put(index, weight / sum)
}

const triangle = (distance: number) => Math.max(0, 1 - Math.abs(distance))

/** Keys' kernel (1981). */
function keys(distance: number, a: number): number {
  const d = Math.abs(distance)
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0
}

/** Over the four neighbours. */
function cubic(x: number, from: number, { cubicA, excludeOutside }: Sampling, put: Put): void {
  const low = Math.floor(x)
  const taps = [-1, 0, 1, 2].map((step) => ({
    index: low + step,
    weight: keys(x - low - step, cubicA),
  }))
  const kept = excludeOutside ? taps.filter(({ index }) => index >= 0 && index < from) : taps
  const sum = excludeOutside ? kept.reduce((total, { weight }) => total + weight, 0) : 1
  for (const { index, weight } of kept) put(index, weight / sum)
}

const resize: Lowering = (node, graph) => {
  const name = input(node, 0)
  const [from, to] = [graph.shapeOf(name), graph.shapeOf(output(node))]
  const how = samplingOf(node, graph)
  const axes = axesOf(node, graph, how, { from, to })
  const changed = axes.flatMap((axis, i) => (isStill(axis) ? [] : [i]))
  const x =
    graph.homeOf(name) === 'channels-last' || hasChannels(from.length) ? 'channels-last' : 'source'
  const kernel = x === 'channels-last' ? kernelFor(axes, how) : null
  const data = graph.value(name, x)
  if (changed.length === 0) return graph.give(output(node), x, data)
  if (kernel !== null && changed.every((axis) => axis >= 2)) {
    return graph.give(output(node), 'channels-last', byKernel(graph, data, to, kernel))
  }
  const order = perAxisIn(
    x,
    from.map((_, axis) => axis),
  )
  const result = changed.reduce((value, axis) => {
    const matrix = axisMatrix(axes[axis] as Axis, how)
    return byMatrix(graph, value, order.indexOf(axis), matrix, how.outside)
  }, data)
  graph.give(output(node), x, result)
}

function isStill({ from, to, scale, start, end }: Axis): boolean {
  return from === to && scale === 1 && start === 0 && end === 1
}

/** Sizes, scales and regions, which the node may give for some axes only. */
function axesOf(
  node: OnnxNode,
  graph: GraphBuilder,
  { coordinates, region }: Sampling,
  { from, to }: { readonly from: readonly number[]; readonly to: readonly number[] },
): Axis[] {
  const named = (intsOf(node, 'axes') ?? from.map((_, axis) => axis)).map((axis) =>
    axis < 0 ? axis + from.length : axis,
  )
  const given = Array.from(
    (graph.source.constant(input(node, 2))?.data ?? floatsOf(node, 'scales') ?? []) as number[],
    Number,
  )
  const ratios = from.map((size, axis) => (to[axis] as number) / size)
  const sizes = graph.source.integers(input(node, 3))
  const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch')
  if (given.length === 0 && sizes && policy !== 'stretch') {
    const wanted = named.map((axis, i) => (sizes[i] as number) / (from[axis] as number))
    const one = policy === 'not_larger' ? Math.min(...wanted) : Math.max(...wanted)
    for (const axis of named) ratios[axis] = one
  }
  const crops = coordinates === 'tf_crop_and_resize'
  return from.map((size, axis) => {
    const at = named.indexOf(axis)
    return {
      from: size,
      to: to[axis] as number,
      scale: given[at] ?? (ratios[axis] as number),
      start: crops && at >= 0 ? (region[at] ?? 0) : 0,
      end: crops && at >= 0 ? (region[named.length + at] ?? 1) : 1,
    }
  })
}

interface ResizeKernel {
  readonly code: 'RESIZE_BILINEAR' | 'RESIZE_NEAREST_NEIGHBOR'
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

/** The kernel whose numbers are those of the node, for images and signals; null where it takes matrices. */
function kernelFor(axes: readonly Axis[], how: Sampling): ResizeKernel | null {
  const crops = how.coordinates === 'tf_crop_and_resize'
  if (axes.length > 4 || how.mode === 'cubic' || how.antialias || crops) return null
  const sizes = axes.slice(2)
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
function agrees(kernel: ResizeKernel, axis: Axis, how: Sampling): boolean {
  const theirs = axisMatrix(axis, how)
  const whole = { ...axis, scale: axis.to / axis.from }
  const ours = axisMatrix(whole, {
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
    row.weights.every((weight, j) => Math.abs(weight - (ours[i]?.weights[j] as number)) < 1e-6),
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
  matrix: readonly Row[],
  outside: number,
): DraftTensor {
  const rank = shapeOf(x).length
  const swap = Array.from({ length: rank }, (_, i) =>
    i === axis ? rank - 1 : i === rank - 1 ? axis : i,
  )
  const width = matrix[0]?.weights.length ?? 0
  const weights = graph.floats(
    'resize',
    [matrix.length, width],
    matrix.flatMap((row) => row.weights),
  )
  const isCut = outside !== 0 && matrix.some((row) => row.outside)
  const bias = isCut
    ? graph.floats(
        'outside',
        [matrix.length],
        matrix.map((row) => (row.outside ? outside : 0)),
      )
    : null
  return turn(graph, dense(graph, turn(graph, x, swap), weights, bias), swap)
}

export const RESIZES: Readonly<Record<string, LoweringRow>> = {
  Resize: row(
    resize,
    constantInput(2, 'list of scales'),
    constantInput(3, 'list of sizes'),
    constantInput(1, 'region'),
  ),
}
