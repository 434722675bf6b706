import { sizeOf } from '../../../../../shared/tensors.ts'
import { floatOf, intOf, stringOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { add, between, cast, mul, pointwise, rowsAt, shapeOf, slice, sub } from '../emit.ts'
import { type GraphBuilder, reshape } from '../graph-builder.ts'
import { input, type Lowering, type LoweringRow, output, row } from '../lowering.ts'

/** One axis of the image: its length, and whether −1 and 1 are centres of the outermost pixels or their outer edges. */
interface Axis {
  readonly size: number
  readonly corners: boolean
  readonly padding: string
}

/** Where a tap falls, in whole pixels, and how much it gives: [batch, rows, columns] each. */
interface Tap {
  readonly place: DraftTensor
  readonly weight: DraftTensor | null
}

const number = (graph: GraphBuilder, value: number) => graph.scalar(value)
const floor = (graph: GraphBuilder, x: DraftTensor) => pointwise(graph, 'FLOOR', [x])

/** −1…1 across the image → pixels (onnx, Operators: GridSample). */
function pixels(graph: GraphBuilder, share: DraftTensor, { size, corners }: Axis): DraftTensor {
  const [factor, shift] = corners ? [(size - 1) / 2, (size - 1) / 2] : [size / 2, (size - 1) / 2]
  return add(graph, mul(graph, share, number(graph, factor)), number(graph, shift))
}

/** Places beside the image thrown back at its borders, as often as needed: a wave of triangles. */
function reflected(graph: GraphBuilder, x: DraftTensor, { size, corners }: Axis): DraftTensor {
  const [low, span] = corners ? [0, size - 1] : [-0.5, size]
  if (span === 0) return mul(graph, x, number(graph, 0))
  const from = sub(graph, x, number(graph, low))
  const turns = floor(graph, mul(graph, from, number(graph, 1 / (2 * span))))
  const within = sub(graph, from, mul(graph, turns, number(graph, 2 * span)))
  const back = pointwise(graph, 'ABS', [sub(graph, within, number(graph, span))])
  return add(graph, sub(graph, number(graph, span), back), number(graph, low))
}

function padded(graph: GraphBuilder, x: DraftTensor, axis: Axis): DraftTensor {
  if (axis.padding === 'border') return between(graph, x, 0, axis.size - 1)
  if (axis.padding !== 'reflection') return x
  return between(graph, reflected(graph, x, axis), 0, axis.size - 1)
}

type Taps = (graph: GraphBuilder, x: DraftTensor, axis: Axis, cubicA: number) => Tap[]

/** Which pixels of one axis a place takes from. */
const TAPS: Readonly<Record<string, Taps>> = {
  nearest: (graph, x, axis) => [
    { place: padded(graph, pointwise(graph, 'ROUND', [x]), axis), weight: null },
  ],
  linear: (graph, x, axis) => {
    const at = padded(graph, x, axis)
    const low = floor(graph, at)
    const share = sub(graph, at, low)
    return [
      { place: low, weight: sub(graph, number(graph, 1), share) },
      { place: add(graph, low, number(graph, 1)), weight: share },
    ]
  },
  /** Of this mode, each tap is padded by itself. */
  cubic: (graph, x, axis, a) => {
    const low = floor(graph, x)
    const share = sub(graph, x, low)
    return [-1, 0, 1, 2].map((step) => ({
      place: padded(graph, add(graph, low, number(graph, step)), axis),
      weight: keys(graph, share, step, a),
    }))
  },
}

/** Keys' kernel (1981) at the tap `step` pixels from the one below. */
function keys(graph: GraphBuilder, share: DraftTensor, step: number, a: number): DraftTensor {
  const distance =
    step > 0 ? sub(graph, number(graph, step), share) : add(graph, share, number(graph, -step))
  const isNear = step === 0 || step === 1
  const factors = isNear ? [a + 2, -(a + 3), 0, 1] : [a, -5 * a, 8 * a, -4 * a]
  const [cubed = 0, ...others] = factors
  return others.reduce(
    (sum, factor) => add(graph, mul(graph, sum, distance), number(graph, factor)),
    number(graph, cubed),
  )
}

/** The image's pixels in one row, each with its channels: [batch · height · width, channels]. */
interface Pixels {
  readonly rows: DraftTensor
  readonly batch: number
  readonly height: number
  readonly width: number
}

/** Pixels at (y, x), nothing where that lies beside the image: [batch, rows, columns, channels]. */
function taken(graph: GraphBuilder, image: Pixels, y: Tap, x: Tap): DraftTensor {
  const { rows, batch, height, width } = image
  const inside = [
    between(graph, y.place, 0, height - 1),
    between(graph, x.place, 0, width - 1),
  ] as const
  const line = mul(graph, inside[0], number(graph, width))
  const first = graph.floats(
    'image',
    [batch, 1, 1],
    Array.from({ length: batch }, (_, i) => i * height * width),
  )
  const at = cast(graph, add(graph, add(graph, line, inside[1]), first), 'INT32')
  const found = rowsAt(graph, rows, at)
  const hits = [
    pointwise(graph, 'EQUAL', [y.place, inside[0]], {}, 'BOOL'),
    pointwise(graph, 'EQUAL', [x.place, inside[1]], {}, 'BOOL'),
  ]
  const seen = cast(graph, pointwise(graph, 'LOGICAL_AND', hits, {}, 'BOOL'), 'FLOAT32')
  const weights = [y.weight, x.weight].reduce<DraftTensor>(
    (product, weight) => (weight === null ? product : mul(graph, product, weight)),
    seen,
  )
  return mul(graph, found, reshape(graph, weights, [...shapeOf(weights), 1]))
}

const gridSample: Lowering = (node, graph) => {
  const x = graph.value(input(node, 0), 'channels-last')
  const [batch = 1, height = 1, width = 1, channels = 1] = shapeOf(x)
  const grid = graph.value(input(node, 1))
  const [, rows = 1, columns = 1] = shapeOf(grid)
  const mode = MODES[stringOf(node, 'mode', 'linear')] ?? 'linear'
  const corners = intOf(node, 'align_corners', 0) === 1
  const padding = stringOf(node, 'padding_mode', 'zeros')
  const cubicA = floatOf(node, 'cubic_coeff_a', -0.75)
  const tapsOf = (at: number, size: number) => {
    const share = reshape(graph, slice(graph, grid, [0, 0, 0, at], [batch, rows, columns, 1]), [
      batch,
      rows,
      columns,
    ])
    const axis = { size, corners, padding }
    return (TAPS[mode] as Taps)(graph, pixels(graph, share, axis), axis, cubicA)
  }
  const [across, down] = [tapsOf(0, width), tapsOf(1, height)]
  const image = {
    rows: reshape(graph, x, [batch * height * width, channels]),
    batch,
    height,
    width,
  }
  const all = down.flatMap((y) => across.map((one) => taken(graph, image, y, one)))
  const sum = all.slice(1).reduce((total, one) => add(graph, total, one), all[0] as DraftTensor)
  graph.give(output(node), 'channels-last', sum)
}

/** Since opset 20 under shorter names. */
const MODES: Readonly<Record<string, string>> = {
  nearest: 'nearest',
  linear: 'linear',
  bilinear: 'linear',
  cubic: 'cubic',
  bicubic: 'cubic',
}

/** Beyond, not every pixel has a float32 number of its own. */
const MOST_PIXELS = 2 ** 24

export const GRID_SAMPLE: Readonly<Record<string, LoweringRow>> = {
  GridSample: row(
    gridSample,
    (node, graph) =>
      graph.shapeOf(input(node, 0)).length === 4 ? null : 'it samples what is no image',
    (node, graph) =>
      sizeOf(graph.shapeOf(input(node, 0))) <= MOST_PIXELS ? null : 'its image is too large',
  ),
}
