import { sizeOf } from '../../../../../shared/tensors.ts'
import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf, intsOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { mul, pad, reduce, shapeOf } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape } from '../graph-builder.ts'
import {
  type Constraint,
  input,
  type Lowering,
  type LoweringRow,
  onlyFirstOutput,
  output,
  row,
} from '../lowering.ts'
import { paddingOf, padsOf, type Window, windowOf } from '../windows.ts'

type PoolKind = 'MAX_POOL_2D' | 'AVERAGE_POOL_2D'

const LOWEST = -3.4028234663852886e38

const undilated: Constraint = (node) =>
  (intsOf(node, 'dilations') ?? []).every((step) => step === 1) ? null : 'its window is dilated'

function pool(code: PoolKind): Lowering {
  return (node, graph) => {
    const shape = graph.shapeOf(input(node, 0))
    const rank = shape.length
    need(
      rank >= 3 && rank <= 5,
      `it works on values of rank ${rank}; kernels take signals, images and volumes`,
    )
    need(graph.source.typeOf(input(node, 0)) === 'float32', 'its numbers are no floats')
    const kernel = intsOf(node, 'kernel_shape') ?? []
    const window = windowOf(node, shape, kernel, graph.shapeOf(output(node)))
    const data = graph.value(input(node, 0), 'channels-last')
    const counts = code === 'MAX_POOL_2D' ? null : countsOf(node, window)
    // Volumes are pooled within their planes, then across them: a maximum of maxima, a mean of means.
    const planes = rank === 5 ? [[1, 2], [0]] : rank === 4 ? [[0, 1]] : [[0]]
    const explicit = padded(graph, data, window, { code, counts })
    const pooled = planes.reduce(
      (from, axes) => poolAlong(graph, code, from, { window, axes, padding: explicit.padding }),
      explicit.given,
    )
    graph.give(
      output(node),
      'channels-last',
      counts === null || explicit.padding === 'SAME'
        ? pooled
        : corrected(graph, pooled, window, counts),
    )
  }
}

interface Counting {
  readonly code: PoolKind
  readonly counts: readonly (readonly number[])[] | null
}

function padded(
  graph: GraphBuilder,
  data: DraftTensor,
  window: Window,
  { code, counts }: Counting,
) {
  const padding = paddingOf(window)
  const planar = window.kernel.length < 3
  // SAME averages what lies inside the image only.
  const excludes =
    counts === null || counts.every((axis, i) => axis.every((n, at) => n === inside(window, i, at)))
  if (padding === 'VALID' || (padding === 'SAME' && excludes && planar))
    return { padding, given: data }
  const outside = code === 'MAX_POOL_2D' ? LOWEST : 0
  return {
    padding: 'VALID' as const,
    given: pad(graph, data, [[0, 0], ...padsOf(window), [0, 0]], outside),
  }
}

/** Pixels of the image under the window at place `at` along dimension `i`. */
function inside(window: Window, i: number, at: number): number {
  const start = at * (window.strides[i] as number) - (window.begin[i] as number)
  const stop = Math.min(start + (window.kernel[i] as number), window.input[i] as number)
  return stop - Math.max(0, start)
}

/** By what each place divides along each dimension: padding counts where the node says so, what ceil_mode adds never. */
function countsOf(node: OnnxNode, window: Window): number[][] {
  const includes = intOf(node, 'count_include_pad', 0) === 1
  const pads = intsOf(node, 'pads')
  return window.output.map((places, i) =>
    Array.from({ length: places }, (_, at) => {
      if (!includes) return inside(window, i, at)
      const start = at * (window.strides[i] as number) - (window.begin[i] as number)
      const declared = pads?.[window.kernel.length + i] ?? Math.max(0, window.end[i] as number)
      const stop = Math.min(
        start + (window.kernel[i] as number),
        (window.input[i] as number) + declared,
      )
      return stop - start
    }),
  )
}

interface Along {
  readonly window: Window
  readonly axes: readonly number[]
  readonly padding: 'SAME' | 'VALID'
}

/** Pools along one or two neighbouring spatial dimensions, all others kept. */
function poolAlong(
  graph: GraphBuilder,
  code: PoolKind,
  from: DraftTensor,
  { window, axes, padding }: Along,
) {
  const shape = shapeOf(from)
  const [first = 0] = axes
  const before = sizeOf(shape.slice(0, first + 1))
  const after = sizeOf(shape.slice(first + 1 + axes.length))
  const own = shape.slice(first + 1, first + 1 + axes.length)
  const plane = axes.length === 1 ? [own[0] as number, 1] : own
  const flat = reshape(graph, from, [before, ...plane, after])
  const of = (values: readonly number[]) => {
    const picked = axes.map((axis) => values[axis] as number)
    return axes.length === 1 ? [...picked, 1] : picked
  }
  const [filterHeight, filterWidth] = of(window.kernel)
  const [strideH, strideW] = of(window.strides)
  const result = graph.compute(code, [flat], [before, ...of(window.output), after], {
    padding,
    ...{ strideH, strideW, filterHeight, filterWidth },
    fusedActivationFunction: 'NONE',
  })
  const sizes = [...shape]
  for (const axis of axes) sizes[axis + 1] = window.output[axis] as number
  return reshape(graph, result, sizes)
}

/** The kernel divided by its whole window: what else it should have divided by is multiplied back. */
function corrected(
  graph: GraphBuilder,
  pooled: DraftTensor,
  window: Window,
  counts: readonly (readonly number[])[],
) {
  const right = counts.every((axis, i) => axis.every((count) => count === window.kernel[i]))
  if (right) return pooled
  return counts.reduce((from, axis, i) => {
    const shape = [...axis.keys()].length
    const factors = axis.map((count) => (window.kernel[i] as number) / count)
    const sizes = [1, ...counts.map((_, other) => (other === i ? shape : 1)), 1]
    return factors.every((factor) => factor === 1)
      ? from
      : mul(graph, from, graph.floats('share', sizes, factors))
  }, pooled)
}

function global(code: 'MEAN' | 'REDUCE_MAX'): Lowering {
  return (node, graph) => {
    const rank = graph.shapeOf(input(node, 0)).length
    if (rank < 3) return graph.give(output(node), 'source', graph.value(input(node, 0)))
    need(rank <= 5, `it works on values of rank ${rank}`)
    const data = graph.value(input(node, 0), 'channels-last')
    const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 1)
    graph.give(output(node), 'channels-last', reduce(graph, code, data, spatial))
  }
}

export const POOLS: Readonly<Record<string, LoweringRow>> = {
  MaxPool: row(pool('MAX_POOL_2D'), onlyFirstOutput('list of indices'), undilated),
  AveragePool: row(pool('AVERAGE_POOL_2D'), undilated),
  GlobalAveragePool: row(global('MEAN')),
  GlobalMaxPool: row(global('REDUCE_MAX')),
}
