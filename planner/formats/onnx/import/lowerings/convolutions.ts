import { invariant } from '../../../../../shared/errors.ts'
import { permuted } from '../../../../graph/index.ts'
import type { GraphBuilder } from '../graph-builder.ts'
import {
  defineActivated,
  input,
  type Lowering,
  option,
  output,
  type SourceOperator,
} from '../lowering.ts'

/** Filter orders: where each ONNX dimension stands in TFLite's. Conv O,I,H,W from O,H,W,I. */
const CONV_ORDER = [0, 3, 1, 2]
/** Depthwise C·M,1,H,W from 1,H,W,C·M. */
const DEPTHWISE_ORDER = [3, 0, 1, 2]
/** Conv O,I,D,H,W from D,H,W,I,O. */
const VOLUME_ORDER = [4, 3, 0, 1, 2]
/** ConvTranspose I,O,H,W from O,H,W,I. */
const TRANSPOSE_ORDER = [3, 0, 1, 2]

const conv2d: Lowering = (operator, graph) => {
  const [filters = 1, , , perGroup = 1] = graph.shapeOf(input(operator, 1))
  const channels = graph.shapeOf(input(operator, 0))[3] ?? perGroup
  invariant(filters > 0, 'filter shapes are static')
  convolve(operator, graph, CONV_ORDER, channels < 0 ? 1 : channels / perGroup)
}

const depthwiseConv2d: Lowering = (operator, graph) => {
  const multiplied = graph.shapeOf(input(operator, 1))[3] ?? 1
  const multiplier = option(operator, 'depthMultiplier', 1) || 1
  const channels = graph.shapeOf(input(operator, 0))[3] ?? multiplied / multiplier
  convolve(operator, graph, DEPTHWISE_ORDER, channels)
}

function convolve(
  operator: SourceOperator,
  graph: GraphBuilder,
  order: readonly number[],
  group: number,
): void {
  const [data, filter, bias] = [input(operator, 0), input(operator, 1), input(operator, 2)]
  const kernel = graph.shapeOf(filter).slice(1, 3)
  const inputs = [graph.value(data, 'channels-first'), filterValue(graph, filter, order)]
  if (bias >= 0) inputs.push(graph.value(bias))
  defineActivated(operator, graph, 'channels-first', (name) =>
    graph.node('Conv', inputs, [name], {
      kernel_shape: ['ints', kernel],
      ...windowAttributes(operator, graph.shapeOf(data), kernel),
      dilations: ['ints', dilationsOf(operator)],
      group: ['int', group],
    }),
  )
}

/** Volumes stand outside the layouts of images: they are turned around where they are used. */
const conv3d: Lowering = (operator, graph) => {
  const [data, filter, bias] = [input(operator, 0), input(operator, 1), input(operator, 2)]
  const kernel = graph.shapeOf(filter).slice(0, 3)
  const sizes = graph.shapeOf(data).slice(1, 4)
  const along = (name: string) =>
    ['D', 'H', 'W'].map((axis) => option(operator, name.replace('*', axis), 1))
  const [strides, dilations] = [along('stride*'), along('dilation*Factor')]
  const same = option(operator, 'padding', 'SAME') === 'SAME'
  const pads = same ? samePads(sizes, kernel, strides, dilations) : new Array<number>(6).fill(0)
  const turned = graph.compute('Transpose', [graph.value(data)], graph.value(data), {
    perm: ['ints', [0, 4, 1, 2, 3]],
  })
  const inputs = [turned, filterValue(graph, filter, VOLUME_ORDER)]
  if (bias >= 0) inputs.push(graph.value(bias))
  const perGroup = graph.shapeOf(filter)[3] ?? 1
  const channels = graph.shapeOf(data)[4] ?? perGroup
  defineActivated(operator, graph, 'native', (name) => {
    const convolved = graph.compute('Conv', inputs, name, {
      kernel_shape: ['ints', kernel],
      strides: ['ints', strides],
      dilations: ['ints', dilations],
      pads: ['ints', pads],
      group: ['int', channels / perGroup],
    })
    graph.node('Transpose', [convolved], [name], { perm: ['ints', [0, 2, 3, 4, 1]] })
  })
}

const transposeConv: Lowering = (operator, graph) => {
  const [filter, data, bias] = [input(operator, 1), input(operator, 2), input(operator, 3)]
  const kernel = graph.shapeOf(filter).slice(1, 3)
  const strides = stridesOf(operator)
  const sizes = spatial(graph.shapeOf(data))
  const wanted = spatial(graph.shapeOf(output(operator)))
  // Full result: (in − 1)·stride + k; what exceeds the output is cut as SAME padding cuts it.
  const excess = wanted.map(
    (out, i) => ((sizes[i] as number) - 1) * (strides[i] as number) + (kernel[i] as number) - out,
  )
  const begin = excess.map((over) => Math.max(0, Math.floor(over / 2)))
  const end = excess.map((over, i) => Math.max(0, over) - (begin[i] as number))
  const inputs = [graph.value(data, 'channels-first'), filterValue(graph, filter, TRANSPOSE_ORDER)]
  if (bias >= 0) inputs.push(graph.value(bias))
  defineActivated(operator, graph, 'channels-first', (name) =>
    graph.node('ConvTranspose', inputs, [name], {
      kernel_shape: ['ints', kernel],
      strides: ['ints', strides],
      pads: ['ints', [...begin, ...end]],
      output_padding: ['ints', excess.map((over) => Math.max(0, -over))],
    }),
  )
}

function pool(opType: 'AveragePool' | 'MaxPool'): Lowering {
  return (operator, graph) => {
    const data = input(operator, 0)
    const kernel = [option(operator, 'filterHeight', 1), option(operator, 'filterWidth', 1)]
    const from = graph.value(data, 'channels-first')
    defineActivated(operator, graph, 'channels-first', (name) =>
      graph.node(opType, [from], [name], {
        kernel_shape: ['ints', kernel],
        ...windowAttributes(operator, graph.shapeOf(data), kernel),
        ...(opType === 'AveragePool' ? { count_include_pad: ['int', 0] as const } : {}),
      }),
    )
  }
}

/** Strides and padding; explicit pads wherever the size is known, as fusing optimisers prefer. */
function windowAttributes(
  operator: SourceOperator,
  shape: readonly number[],
  kernel: readonly number[],
) {
  const strides = stridesOf(operator)
  const base = { strides: ['ints', strides] as const }
  if (option(operator, 'padding', 'SAME') === 'VALID')
    return { ...base, pads: ['ints', [0, 0, 0, 0]] as const }
  const sizes = spatial(shape)
  if (sizes.some((size) => size < 0))
    return { ...base, auto_pad: ['string', 'SAME_UPPER'] as const }
  const pads = samePads(sizes, kernel, strides, dilationsOf(operator))
  return { ...base, pads: ['ints', pads] as const }
}

/** What SAME adds, with the odd one at the end: all that goes before, then all behind. */
function samePads(
  sizes: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): number[] {
  const totals = sizes.map((size, i) => {
    const stride = strides[i] as number
    const reach = ((kernel[i] as number) - 1) * (dilations[i] as number) + 1
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size)
  })
  const begin = totals.map((total) => Math.floor(total / 2))
  return [...begin, ...totals.map((total, i) => total - (begin[i] as number))]
}

function spatial(shape: readonly number[]): number[] {
  return shape.slice(1, 3)
}

function stridesOf(operator: SourceOperator): number[] {
  return [option(operator, 'strideH', 1), option(operator, 'strideW', 1)]
}

function dilationsOf(operator: SourceOperator): number[] {
  return [option(operator, 'dilationHFactor', 1), option(operator, 'dilationWFactor', 1)]
}

function filterValue(graph: GraphBuilder, filter: number, order: readonly number[]): string {
  const data = graph.constant(filter)
  if (data === null) {
    return graph.compute('Transpose', [graph.value(filter)], graph.value(filter), {
      perm: ['ints', order],
    })
  }
  const shape = graph.shapeOf(filter)
  const ordered = permuted(data, shape, order)
  const name = graph.tensor(filter).name ?? 'filter'
  return graph.constantValue(
    name,
    'float32',
    order.map((axis) => shape[axis] as number),
    ordered,
  )
}

export const CONVOLUTIONS: Readonly<Record<string, Lowering>> = {
  CONV_2D: conv2d,
  DEPTHWISE_CONV_2D: depthwiseConv2d,
  TRANSPOSE_CONV: transposeConv,
  CONV_3D: conv3d,
  AVERAGE_POOL_2D: pool('AveragePool'),
  MAX_POOL_2D: pool('MaxPool'),
}
