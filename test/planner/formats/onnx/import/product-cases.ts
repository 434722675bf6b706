import type { TflUnion } from '../../../../../planner/formats/tflite/index.ts'
import { type Case, ints, noise, row } from './case.ts'
import { x } from './one-operator.ts'

const window = (padding: string, stride: number, more: Record<string, unknown> = {}) => ({
  padding,
  strideW: stride,
  strideH: stride,
  ...more,
})
const conv = (padding: string, stride: number, more: Record<string, unknown> = {}): TflUnion => ({
  type: 'Conv2DOptions',
  ...window(padding, stride, more),
})
const depthwise = (padding: string, stride: number, more: Record<string, unknown> = {}) => ({
  type: 'DepthwiseConv2DOptions',
  ...window(padding, stride, more),
})
const transposed = (padding: string, stride: number, more: Record<string, unknown> = {}) => ({
  type: 'TransposeConvOptions',
  ...window(padding, stride, more),
})
const pool = (padding: string, stride: number, size: number, more = {}): TflUnion => ({
  type: 'Pool2DOptions',
  ...window(padding, stride, { filterWidth: size, filterHeight: size, ...more }),
})

export const CONVOLUTIONS: readonly Case[] = [
  row('CONV_2D same', conv('SAME', 1), [x(1, 6, 5, 3), noise(4, 3, 3, 3), noise(4)], x(1, 6, 5, 4)),
  row(
    'CONV_2D same, stride 2, even size, relu6',
    conv('SAME', 2, { fusedActivationFunction: 'RELU6' }),
    [x(1, 6, 6, 3), noise(4, 3, 3, 3), noise(4)],
    x(1, 3, 3, 4),
  ),
  row(
    'CONV_2D batch of 2, valid',
    conv('VALID', 1),
    [x(2, 6, 5, 3), noise(4, 3, 2, 3), noise(4)],
    x(2, 4, 4, 4),
  ),
  row(
    'CONV_2D dilated, relu-n1-to-1',
    conv('SAME', 1, {
      dilationWFactor: 2,
      dilationHFactor: 2,
      fusedActivationFunction: 'RELU_N1_TO_1',
    }),
    [x(1, 7, 7, 2), noise(3, 3, 3, 2), noise(3)],
    x(1, 7, 7, 3),
  ),
  row(
    'CONV_2D grouped',
    conv('SAME', 1),
    [x(1, 5, 5, 4), noise(6, 3, 3, 2), noise(6)],
    x(1, 5, 5, 6),
  ),
  row(
    'CONV_3D same, odd strides, relu',
    {
      type: 'Conv3DOptions',
      padding: 'SAME',
      strideD: 1,
      strideH: 2,
      strideW: 3,
      dilationDFactor: 1,
      dilationHFactor: 1,
      dilationWFactor: 1,
      fusedActivationFunction: 'RELU',
    },
    [x(1, 4, 5, 6, 2), noise(2, 3, 3, 2, 4), noise(4)],
    x(1, 4, 3, 2, 4),
  ),
  row(
    'DEPTHWISE_CONV_2D same, stride 2, relu',
    depthwise('SAME', 2, { depthMultiplier: 1, fusedActivationFunction: 'RELU' }),
    [x(1, 7, 6, 3), noise(1, 3, 3, 3), noise(3)],
    x(1, 4, 3, 3),
  ),
  row(
    'DEPTHWISE_CONV_2D multiplier 2',
    depthwise('VALID', 1, { depthMultiplier: 2 }),
    [x(1, 5, 5, 3), noise(1, 3, 3, 6), noise(6)],
    x(1, 3, 3, 6),
  ),
  row(
    'DEPTHWISE_CONV_2D of one channel',
    depthwise('SAME', 2, { depthMultiplier: 8 }),
    [x(1, 9, 5, 1), noise(1, 5, 4, 8), noise(8)],
    x(1, 5, 3, 8),
  ),
  row(
    'TRANSPOSE_CONV same, stride 2',
    transposed('SAME', 2),
    [ints(1, 8, 6, 2), noise(2, 3, 3, 3), x(1, 4, 3, 3)],
    x(1, 8, 6, 2),
  ),
  row(
    'TRANSPOSE_CONV same, odd output',
    transposed('SAME', 2),
    [ints(1, 7, 5, 2), noise(2, 3, 3, 3), x(1, 4, 3, 3)],
    x(1, 7, 5, 2),
  ),
  row(
    'TRANSPOSE_CONV valid, with bias',
    transposed('VALID', 2),
    [ints(1, 9, 7, 2), noise(2, 3, 3, 3), x(1, 4, 3, 3), noise(2)],
    x(1, 9, 7, 2),
  ),
  row(
    'TRANSPOSE_CONV kernel below stride',
    transposed('SAME', 3),
    [ints(1, 12, 9, 2), noise(2, 2, 2, 3), x(1, 4, 3, 3)],
    x(1, 12, 9, 2),
  ),
  row('AVERAGE_POOL_2D same, padded', pool('SAME', 2, 3), [x(1, 6, 5, 2)], x(1, 3, 3, 2)),
  row('AVERAGE_POOL_2D whole image', pool('VALID', 1, 5), [x(1, 5, 5, 2)], x(1, 1, 1, 2)),
  row('MAX_POOL_2D same, padded', pool('SAME', 2, 3), [x(1, 6, 5, 2)], x(1, 3, 3, 2)),
  row(
    'MAX_POOL_2D relu',
    pool('VALID', 2, 2, { fusedActivationFunction: 'RELU' }),
    [x(1, 6, 4, 2)],
    x(1, 3, 2, 2),
  ),
]

const dense = (more: Record<string, unknown> = {}): TflUnion => ({
  type: 'FullyConnectedOptions',
  ...more,
})
const product = (adjX: boolean, adjY: boolean): TflUnion => ({
  type: 'BatchMatMulOptions',
  adjX,
  adjY,
})

export const MATRICES: readonly Case[] = [
  row('FULLY_CONNECTED', dense(), [x(2, 5), noise(3, 5), noise(3)], x(2, 3)),
  row(
    'FULLY_CONNECTED without bias, relu',
    dense({ fusedActivationFunction: 'RELU' }),
    [x(2, 5), noise(3, 5), null],
    x(2, 3),
  ),
  row('FULLY_CONNECTED of images', dense(), [x(2, 2, 3, 4), noise(3, 24), noise(3)], x(2, 3)),
  row(
    'FULLY_CONNECTED keeping dimensions',
    dense({ keepNumDims: true }),
    [x(2, 4, 5), noise(3, 5), noise(3)],
    x(2, 4, 3),
  ),
  row('FULLY_CONNECTED computed weights', dense(), [x(2, 5), x(3, 5), null], x(2, 3)),
  row('BATCH_MATMUL', product(false, false), [x(2, 3, 4), x(2, 4, 5)], x(2, 3, 5)),
  row('BATCH_MATMUL right transposed', product(false, true), [x(2, 3, 4), x(2, 5, 4)], x(2, 3, 5)),
  row('BATCH_MATMUL left transposed', product(true, false), [x(2, 4, 3), x(2, 4, 5)], x(2, 3, 5)),
  row('BATCH_MATMUL rank 4', product(false, false), [x(1, 2, 3, 4), x(1, 2, 4, 5)], x(1, 2, 3, 5)),
  row('BATCH_MATMUL constant', product(false, false), [x(2, 3, 4), noise(4, 5)], x(2, 3, 5)),
]
