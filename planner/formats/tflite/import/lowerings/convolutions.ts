import { sizeOf } from '../../../../../shared/tensors.ts'
import { permuted } from '../../../../graph/index.ts'
import type { OnnxNode } from '../../../onnx/index.ts'
import { intOf, intsOf } from '../../../onnx/source.ts'
import type { DraftTensor } from '../../draft.ts'
import { concat, pad, shapeOf, slice } from '../emit.ts'
import { need } from '../errors.ts'
import { type GraphBuilder, reshape, turn } from '../graph-builder.ts'
import { hasInput, input, type Lowering, type LoweringRow, output, row } from '../lowering.ts'
import { paddingOf, padsOf, type Window, windowOf } from '../windows.ts'

/** A signal [N,L,C] as an image of one row, which the kernels take. */
function asImage(graph: GraphBuilder, signal: DraftTensor): DraftTensor {
  const shape = shapeOf(signal)
  if (shape.length !== 3) return signal
  const [batch = 1, length = 1, channels = 1] = shape
  return reshape(graph, signal, [batch, 1, length, channels])
}

/** And back to the rank of the source. */
function fromImage(graph: GraphBuilder, image: DraftTensor, rank: number): DraftTensor {
  const [batch = 1, height = 1, width = 1, channels = 1] = shapeOf(image)
  return rank === 3 ? reshape(graph, image, [batch, height * width, channels]) : image
}

const conv: Lowering = (node, graph) => {
  const rank = graph.shapeOf(input(node, 0)).length
  need(
    rank >= 3 && rank <= 5,
    `it works on values of rank ${rank}; kernels take signals, images and volumes`,
  )
  const [filters = 1, perGroup = 1, ...kernel] = graph.shapeOf(input(node, 1))
  const group = intOf(node, 'group', 1)
  const window = windowOf(node, graph.shapeOf(input(node, 0)), kernel, graph.shapeOf(output(node)))
  const bias = biasOf(node, graph, 2, filters)
  const data = graph.value(input(node, 0), 'channels-last')
  const result =
    rank === 5
      ? volume(node, graph, data, { window, group, bias })
      : image(node, graph, asImage(graph, data), { window: inPlane(window), group, bias, perGroup })
  graph.give(output(node), 'channels-last', fromImage(graph, result, rank))
}

/** Of a signal: a window of one row. */
function inPlane(window: Window): Window {
  if (window.kernel.length !== 1) return window
  const one = (value: number, values: readonly number[]) => [value, ...values]
  return {
    kernel: one(1, window.kernel),
    strides: one(1, window.strides),
    dilations: one(1, window.dilations),
    begin: one(0, window.begin),
    end: one(0, window.end),
    input: one(1, window.input),
    output: one(1, window.output),
  }
}

interface Convolution {
  readonly window: Window
  readonly group: number
  readonly bias: DraftTensor
}

function image(
  node: OnnxNode,
  graph: GraphBuilder,
  data: DraftTensor,
  { window, group, bias, perGroup }: Convolution & { readonly perGroup: number },
): DraftTensor {
  const channels = shapeOf(data)[3] as number
  const filters = shapeOf(bias)[0] as number
  const { padding, given } = padded(graph, data, window)
  const shape = [shapeOf(data)[0] as number, ...window.output, filters]
  const common = {
    padding,
    strideH: window.strides[0],
    strideW: window.strides[1],
    dilationHFactor: window.dilations[0],
    dilationWFactor: window.dilations[1],
    fusedActivationFunction: 'NONE',
  }
  const depthwise = group > 1 && group === channels && perGroup === 1
  if (depthwise) {
    const weights = filterOf(node, graph, [...DEPTHWISE], [filters, 1, ...window.kernel])
    const options = { ...common, depthMultiplier: filters / channels }
    return graph.compute('DEPTHWISE_CONV_2D', [given, weights, bias], shape, options)
  }
  const weights = filterOf(node, graph, [...CONV], [filters, perGroup, ...window.kernel])
  return graph.compute('CONV_2D', [given, weights, bias], shape, common)
}

/** Filter orders: where each dimension of TensorFlow Lite stands in ONNX's. O,H,W,I from O,I,H,W. */
const CONV = [0, 2, 3, 1]
/** 1,H,W,C·M from C·M,1,H,W. */
const DEPTHWISE = [1, 2, 3, 0]
/** D,H,W,I,O from O,I,D,H,W. */
const VOLUME = [2, 3, 4, 1, 0]
/** O,H,W,I from I,O,H,W. */
const TRANSPOSE = [1, 2, 3, 0]

function filterOf(
  node: OnnxNode,
  graph: GraphBuilder,
  order: readonly number[],
  shape: readonly number[],
): DraftTensor {
  const name = input(node, 1)
  if (graph.source.constant(name) !== null) return graph.reordered(name, order, shape)
  return turn(graph, reshape(graph, graph.value(name), shape), order)
}

/** SAME or VALID where either says it; otherwise zeros are put around the image. */
function padded(graph: GraphBuilder, data: DraftTensor, window: Window) {
  const padding = paddingOf(window)
  if (padding !== null) return { padding, given: data }
  const pads = padsOf(window)
  return { padding: 'VALID', given: pad(graph, data, [[0, 0], ...pads, [0, 0]]) }
}

function biasOf(node: OnnxNode, graph: GraphBuilder, at: number, filters: number): DraftTensor {
  if (hasInput(node, at)) return graph.value(input(node, at))
  return graph.floats(`${output(node)}/bias`, [filters], new Float32Array(filters))
}

function volume(
  node: OnnxNode,
  graph: GraphBuilder,
  data: DraftTensor,
  { window, group, bias }: Convolution,
): DraftTensor {
  const weights = filterOf(node, graph, VOLUME, graph.shapeOf(input(node, 1)))
  const { padding, given } = padded(graph, data, window)
  const [depth = 1, height = 1, width = 1, perGroup = 1, filters = 1] = shapeOf(weights)
  const each = filters / group
  const parts = Array.from({ length: group }, (_, i) => {
    const [batch = 1, ...sizes] = shapeOf(given)
    const spatial = sizes.slice(0, 3)
    const own = slice(graph, given, [0, 0, 0, 0, i * perGroup], [batch, ...spatial, perGroup])
    const filter = slice(
      graph,
      weights,
      [0, 0, 0, 0, i * each],
      [depth, height, width, perGroup, each],
    )
    const [strideD, strideH, strideW] = window.strides
    const [dilationDFactor, dilationHFactor, dilationWFactor] = window.dilations
    return graph.compute(
      'CONV_3D',
      [own, filter, slice(graph, bias, [i * each], [each])],
      [batch, ...window.output, each],
      {
        padding,
        ...{ strideD, strideH, strideW, dilationDFactor, dilationHFactor, dilationWFactor },
        fusedActivationFunction: 'NONE',
      },
    )
  })
  return concat(graph, parts, 4)
}

const convTranspose: Lowering = (node, graph) => {
  const shape = graph.shapeOf(input(node, 0))
  const rank = shape.length
  need(
    rank === 3 || rank === 4,
    `it works on values of rank ${rank}; kernels take signals and images`,
  )
  const group = intOf(node, 'group', 1)
  const [, perGroup = 1, ...kernel] = graph.shapeOf(input(node, 1))
  const filters = perGroup * group
  const weights = transposeFilter(node, graph, group)
  const bias = biasOf(node, graph, 2, filters)
  const data = asImage(graph, graph.value(input(node, 0), 'channels-last'))
  const row = <T>(one: T, values: readonly T[]) => (rank === 3 ? [one, ...values] : [...values])
  const dilations = row(1, intsOf(node, 'dilations') ?? kernel.map(() => 1))
  const strides = row(1, intsOf(node, 'strides') ?? kernel.map(() => 1))
  const wanted = row(1, graph.shapeOf(output(node)).slice(2))
  const reach = row(1, kernel).map((taps, i) => (taps - 1) * (dilations[i] as number) + 1)
  const begin = row(
    0,
    cropBegin(node, {
      kernel,
      sizes: shape.slice(2),
      wanted: graph.shapeOf(output(node)).slice(2),
    }),
  )
  const image = upsampled(graph, data, { weights, bias, strides, wanted, reach, begin })
  graph.give(output(node), 'channels-last', fromImage(graph, image, rank))
}

/** How much of the full result is cut before the first pixel (onnx, Operators: ConvTranspose). */
function cropBegin(
  node: OnnxNode,
  {
    kernel,
    sizes,
    wanted,
  }: { kernel: readonly number[]; sizes: readonly number[]; wanted: readonly number[] },
): number[] {
  const auto = autoPad(node)
  const given = intsOf(node, 'pads')
  if (auto === 'NOTSET' && intsOf(node, 'output_shape') === undefined) {
    return kernel.map((_, i) => given?.[i] ?? 0)
  }
  if (auto === 'VALID') return kernel.map(() => 0)
  return kernel.map((taps, i) => {
    const stride = intsOf(node, 'strides')?.[i] ?? 1
    const dilation = intsOf(node, 'dilations')?.[i] ?? 1
    const more = intsOf(node, 'output_padding')?.[i] ?? 0
    const full = stride * ((sizes[i] as number) - 1) + more + (taps - 1) * dilation + 1
    const total = Math.max(0, full - (wanted[i] as number))
    return auto === 'SAME_UPPER' ? Math.floor(total / 2) : total - Math.floor(total / 2)
  })
}

function autoPad(node: OnnxNode): string {
  const found = node.attribute.find(({ name }) => name === 'auto_pad')
  return found === undefined ? 'NOTSET' : new TextDecoder().decode(found.s)
}

interface Upsampling {
  readonly weights: DraftTensor
  readonly bias: DraftTensor
  readonly strides: readonly number[]
  readonly wanted: readonly number[]
  readonly reach: readonly number[]
  readonly begin: readonly number[]
}

function upsampled(graph: GraphBuilder, data: DraftTensor, at: Upsampling): DraftTensor {
  const { weights, bias, strides, wanted, reach, begin } = at
  const [batch = 1, ...rest] = shapeOf(data)
  const filters = shapeOf(bias)[0] as number
  const full = reach.map((taps, i) => ((rest[i] as number) - 1) * (strides[i] as number) + taps)
  const same = wanted.every((size, i) => {
    const total = (full[i] as number) - size
    return (
      total >= 0 &&
      size === (rest[i] as number) * (strides[i] as number) &&
      begin[i] === Math.floor(total / 2)
    )
  })
  const sizes = same ? wanted : full
  const shape = [batch, ...sizes, filters]
  const options = {
    padding: same ? 'SAME' : 'VALID',
    strideH: strides[0],
    strideW: strides[1],
    fusedActivationFunction: 'NONE',
  }
  const outside = full.map((size, i) =>
    Math.max(0, (begin[i] as number) + (wanted[i] as number) - size),
  )
  const overhangs = !same && outside.some((size) => size > 0)
  const inputs = [graph.int32s('output_shape', shape), weights, data, ...(overhangs ? [] : [bias])]
  const result = graph.compute('TRANSPOSE_CONV', inputs, shape, options, 'FLOAT32')
  if (same) return result
  const wide = pad(graph, result, [[0, 0], ...outside.map((after) => [0, after] as const), [0, 0]])
  const cut = slice(graph, wide, [0, ...begin, 0], [batch, ...wanted, filters])
  return overhangs ? graph.compute('ADD', [cut, bias], shapeOf(cut)) : cut
}

/** O,H,W,I with zeros between taps of a dilated filter and where groups do not meet: the kernel knows neither. */
function transposeFilter(node: OnnxNode, graph: GraphBuilder, group: number): DraftTensor {
  const name = input(node, 1)
  const constant = graph.source.constant(name)
  need(constant !== null, 'its weights are computed when the model runs')
  const [channels = 1, perGroup = 1, ...taps] = constant.shape
  const kernel = taps.length === 1 ? [1, ...taps] : taps
  const spread = intsOf(node, 'dilations') ?? taps.map(() => 1)
  const dilations = taps.length === 1 ? [1, ...spread] : spread
  const [height = 1, width = 1] = kernel
  const [down = 1, across = 1] = dilations
  const size = [(height - 1) * down + 1, (width - 1) * across + 1] as const
  const shape = [channels, perGroup * group, ...size]
  need(sizeOf(shape) <= 2 ** 26, 'its groups would take too much memory without a grouped kernel')
  const dense = new Float32Array(sizeOf(shape))
  const values = constant.data as Float32Array
  let from = 0
  for (let c = 0; c < channels; c += 1) {
    const first = Math.floor(c / (channels / group)) * perGroup
    for (let o = 0; o < perGroup; o += 1)
      for (let y = 0; y < height; y += 1)
        for (let x = 0; x < width; x += 1, from += 1) {
          const at =
            ((c * perGroup * group + first + o) * size[0] + y * down) * size[1] + x * across
          dense[at] = values[from] as number
        }
  }
  const order = TRANSPOSE
  return graph.floats(
    name,
    order.map((axis) => shape[axis] as number),
    permuted(dense, shape, order),
  )
}

export const CONVOLUTIONS: Readonly<Record<string, LoweringRow>> = {
  Conv: row(conv),
  ConvTranspose: row(convTranspose),
}
