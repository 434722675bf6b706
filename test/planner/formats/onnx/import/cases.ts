import type { TflUnion } from '../../../../../planner/formats/tflite/index.ts'
import { sizeOf } from '../../../../../shared/tensors.ts'
import {
  type Domain,
  numbersFor,
  type OneOperator,
  type Operand,
  randomFrom,
  x,
} from './one-operator.ts'

const within = (domain: Domain, ...shape: number[]): Operand => ({ type: 'FLOAT32', shape, domain })
const flags = (...shape: number[]): Operand => ({ type: 'BOOL', shape })
const counts = (...shape: number[]): Operand => ({ type: 'INT32', shape })
const longs = (...shape: number[]): Operand => ({ type: 'INT64', shape })
/** Constant of noise. */
const noise = (...shape: number[]): Operand => ({
  ...x(...shape),
  data: numbersFor(x(...shape), randomFrom(sizeOf(shape))),
})
/** Constant integers: a vector, or a scalar. */
const ints = (...values: number[]): Operand => ({
  type: 'INT32',
  shape: [values.length],
  data: Int32Array.from(values),
})
const int = (value: number): Operand => ({ type: 'INT32', shape: [], data: Int32Array.of(value) })
const table = (rows: number, ...values: number[]): Operand => ({
  type: 'INT32',
  shape: [rows, values.length / rows],
  data: Int32Array.from(values),
})

/** Written `KIND words about the case`: the operator, then what is particular about this row. */
export interface Case extends OneOperator {
  readonly title: string
}

function row(
  title: string,
  options: TflUnion | null,
  inputs: readonly (Operand | null)[],
  ...outputs: Operand[]
): Case {
  const [kind = ''] = title.split(' ')
  return { title, kind, inputs, outputs, ...(options && { options }) }
}

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

const CONVOLUTIONS: readonly Case[] = [
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

const MATRICES: readonly Case[] = [
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

const OPTIONS_OF: Record<string, string> = {
  MAXIMUM: 'MaximumMinimumOptions',
  MINIMUM: 'MaximumMinimumOptions',
  GREATER: 'GreaterOptions',
  SQUARED_DIFFERENCE: 'SquaredDifferenceOptions',
}
const optionsOf = (kind: string): TflUnion | null =>
  OPTIONS_OF[kind] === undefined ? null : { type: OPTIONS_OF[kind] }

/** Same shape, channels, a whole constant, and one number: all the ways in which operands meet. */
function binary(kind: string, domain: Domain = 'signed', options = optionsOf(kind)): Case[] {
  const image = within(domain, 1, 3, 4, 2)
  const constant = (...shape: number[]): Operand => ({
    ...within(domain, ...shape),
    data: numbersFor(within(domain, ...shape), randomFrom(7)),
  })
  return [
    row(`${kind} same shapes`, options, [image, within(domain, 1, 3, 4, 2)], x(1, 3, 4, 2)),
    row(`${kind} by channel`, options, [image, constant(2)], x(1, 3, 4, 2)),
    row(`${kind} by row`, options, [constant(4, 1), image], x(1, 3, 4, 2)),
    row(`${kind} one number`, options, [image, constant()], x(1, 3, 4, 2)),
    row(
      `${kind} broadcast both`,
      options,
      [within(domain, 1, 3, 1, 2), within(domain, 1, 1, 4, 2)],
      x(1, 3, 4, 2),
    ),
    row(`${kind} rank 2`, options, [within(domain, 3, 1), within(domain, 3, 2)], x(3, 2)),
  ]
}

function compared(kind: string): Case[] {
  return binary(kind, 'small-integers').map((one) => ({
    ...one,
    outputs: one.outputs.map(({ shape }) => flags(...shape)),
  }))
}

function unary(kind: string, domain: Domain = 'signed', options: TflUnion | null = null): Case[] {
  return [
    row(`${kind} image`, options, [within(domain, 1, 3, 4, 2)], x(1, 3, 4, 2)),
    row(`${kind} vector`, options, [within(domain, 2, 7)], x(2, 7)),
  ]
}

const fused = (type: string, fusedActivationFunction: string): TflUnion => ({
  type,
  fusedActivationFunction,
})

const ARITHMETIC: readonly Case[] = [
  ...binary('ADD', 'signed', fused('AddOptions', 'NONE')),
  ...binary('SUB', 'signed', fused('SubOptions', 'RELU6')),
  ...binary('MUL', 'signed', fused('MulOptions', 'RELU')),
  ...binary('DIV', 'positive', fused('DivOptions', 'NONE')),
  row('ADD integers', fused('AddOptions', 'NONE'), [counts(2, 3), counts(2, 3)], counts(2, 3)),
  row(
    'ADD of a vector computed',
    fused('AddOptions', 'NONE'),
    [x(1, 3, 4, 2), x(2)],
    x(1, 3, 4, 2),
  ),
  ...binary('POW', 'positive'),
  ...binary('MAXIMUM'),
  ...binary('MINIMUM'),
  ...binary('SQUARED_DIFFERENCE'),
  ...['EQUAL', 'NOT_EQUAL', 'GREATER', 'GREATER_EQUAL', 'LESS', 'LESS_EQUAL'].flatMap(compared),
  row('LOGICAL_AND', null, [flags(2, 3), flags(2, 3)], flags(2, 3)),
  row('LOGICAL_OR', null, [flags(2, 3), flags(2, 3)], flags(2, 3)),
  row('LOGICAL_NOT', null, [flags(2, 3)], flags(2, 3)),
  row('SELECT', null, [flags(2, 3), x(2, 3), x(2, 3)], x(2, 3)),
  row('SELECT image', null, [flags(1, 2, 3, 2), x(1, 2, 3, 2), x(1, 2, 3, 2)], x(1, 2, 3, 2)),
  row('SELECT by rows', null, [flags(3), x(3, 2), x(3, 2)], x(3, 2)),
  row('SELECT_V2 broadcast', null, [flags(3, 1), x(1, 2, 3, 2), noise(2)], x(1, 2, 3, 2)),
  row('PRELU', null, [x(1, 3, 4, 2), noise(1, 1, 2)], x(1, 3, 4, 2)),
  ...['RELU', 'RELU6', 'RELU_N1_TO_1', 'RELU_0_TO_1', 'ELU', 'LOGISTIC', 'TANH'].flatMap((kind) =>
    unary(kind),
  ),
  ...['ABS', 'NEG', 'SQUARE', 'EXP', 'SIN', 'COS', 'FLOOR', 'CEIL', 'ROUND', 'SIGN'].flatMap(
    (kind) => unary(kind),
  ),
  ...unary('HARD_SWISH'),
  ...unary('LEAKY_RELU', 'signed', { type: 'LeakyReluOptions', alpha: 0.2 }),
  ...unary('GELU', 'signed', { type: 'GeluOptions', approximate: false }),
  ...unary('GELU tanh', 'signed', { type: 'GeluOptions', approximate: true }),
  ...['LOG', 'SQRT', 'RSQRT'].flatMap((kind) => unary(kind, 'positive')),
]

const beta = (value: number): TflUnion => ({ type: 'SoftmaxOptions', beta: value })

const NORMALIZATIONS: readonly Case[] = [
  row('SOFTMAX', beta(1), [x(2, 5)], x(2, 5)),
  row('SOFTMAX image, beta', beta(0.5), [x(1, 2, 3, 4)], x(1, 2, 3, 4)),
  row('LOG_SOFTMAX', null, [x(2, 5)], x(2, 5)),
  row('LOG_SOFTMAX image', null, [x(1, 2, 3, 4)], x(1, 2, 3, 4)),
  ...unary('L2_NORMALIZATION', 'signed', fused('L2NormOptions', 'NONE')),
]

function reduced(kind: string): Case[] {
  const keep = (keepDims: boolean): TflUnion => ({ type: 'ReducerOptions', keepDims })
  return [
    row(`${kind} of pixels`, keep(false), [x(2, 3, 4, 5), ints(1, 2)], x(2, 5)),
    row(`${kind} of pixels, kept`, keep(true), [x(2, 3, 4, 5), ints(2, 1)], x(2, 1, 1, 5)),
    row(`${kind} of channels`, keep(false), [x(2, 3, 4, 5), ints(-1)], x(2, 3, 4)),
    row(`${kind} of channels, kept`, keep(true), [x(2, 3, 4, 5), ints(3)], x(2, 3, 4, 1)),
    row(`${kind} rank 3`, keep(false), [x(2, 3, 4), int(1)], x(2, 4)),
  ]
}

const argument = (kind: string, type: string, outputType: string): Case[] => [
  row(`${kind} last axis`, { type, outputType: 'INT32' }, [x(2, 5), int(-1)], counts(2)),
  row(`${kind} of channels`, { type, outputType }, [x(1, 2, 3, 4), int(3)], longs(1, 2, 3)),
]

const REDUCTIONS: readonly Case[] = [
  ...['MEAN', 'SUM', 'REDUCE_MAX', 'REDUCE_MIN', 'REDUCE_PROD'].flatMap(reduced),
  ...argument('ARG_MAX', 'ArgMaxOptions', 'INT64'),
  ...argument('ARG_MIN', 'ArgMinOptions', 'INT64'),
]

/** Up by a whole factor, up by an odd one, down, and down to an odd size. */
const SIZES = [
  [6, 8],
  [7, 5],
  [2, 3],
  [1, 4],
] as const
const MODES = [{}, { alignCorners: true }, { halfPixelCenters: true }] as const

function resized(kind: string, type: string): Case[] {
  return MODES.flatMap((mode) =>
    SIZES.map(([height, width]) =>
      row(
        `${kind} to ${height}×${width} ${Object.keys(mode).join()}`,
        { type, ...mode },
        [x(1, 3, 4, 2), ints(height, width)],
        x(1, height, width, 2),
      ),
    ),
  )
}

const RESIZES: readonly Case[] = [
  ...resized('RESIZE_BILINEAR', 'ResizeBilinearOptions'),
  ...resized('RESIZE_NEAREST_NEIGHBOR', 'ResizeNearestNeighborOptions'),
  row(
    'DEPTH_TO_SPACE',
    { type: 'DepthToSpaceOptions', blockSize: 2 },
    [x(1, 2, 3, 12)],
    x(1, 4, 6, 3),
  ),
  row(
    'SPACE_TO_DEPTH',
    { type: 'SpaceToDepthOptions', blockSize: 2 },
    [x(1, 4, 6, 3)],
    x(1, 2, 3, 12),
  ),
]

const axis = (type: string, value: number): TflUnion => ({ type, axis: value })
const slices = (masks: Record<string, number>): TflUnion => ({
  type: 'StridedSliceOptions',
  ...masks,
})
const mirror = (mode: string): TflUnion => ({ type: 'MirrorPadOptions', mode })
const half = (...values: number[]): Operand => ({
  type: 'FLOAT16',
  shape: [values.length],
  data: Uint16Array.from(values),
})

const SHAPES: readonly Case[] = [
  row(
    'RESHAPE',
    { type: 'ReshapeOptions', newShape: [1, 24] },
    [x(1, 3, 4, 2), ints(1, 24)],
    x(1, 24),
  ),
  row(
    'RESHAPE to images',
    { type: 'ReshapeOptions', newShape: [1, 4, 3, 2] },
    [x(1, 24), ints(1, 4, 3, 2)],
    x(1, 4, 3, 2),
  ),
  row('SQUEEZE', { type: 'SqueezeOptions', squeezeDims: [1, 2] }, [x(2, 1, 1, 5)], x(2, 5)),
  row('EXPAND_DIMS', null, [x(2, 5), int(1)], x(2, 1, 5)),
  row('TRANSPOSE', null, [x(1, 3, 4, 2), ints(0, 2, 1, 3)], x(1, 4, 3, 2)),
  row('TRANSPOSE to channels first', null, [x(1, 3, 4, 2), ints(0, 3, 1, 2)], x(1, 2, 3, 4)),
  row(
    'CONCATENATION of channels',
    axis('ConcatenationOptions', 3),
    [x(1, 3, 4, 2), x(1, 3, 4, 1)],
    x(1, 3, 4, 3),
  ),
  row(
    'CONCATENATION with a constant',
    axis('ConcatenationOptions', -3),
    [x(1, 3, 4, 2), noise(1, 2, 4, 2)],
    x(1, 5, 4, 2),
  ),
  row('CONCATENATION rank 2', axis('ConcatenationOptions', 1), [x(2, 3), x(2, 4)], x(2, 7)),
  row('PAD', null, [x(1, 3, 4, 2), table(4, 0, 0, 1, 2, 0, 1, 0, 0)], x(1, 6, 5, 2)),
  row('PAD channels', null, [x(1, 3, 4, 2), table(4, 0, 0, 0, 0, 0, 0, 1, 2)], x(1, 3, 4, 5)),
  row('PAD rank 2', null, [x(2, 3), table(2, 0, 0, 1, 1)], x(2, 5)),
  row(
    'PADV2',
    null,
    [x(1, 3, 4, 2), table(4, 0, 0, 1, 2, 0, 1, 0, 0), { ...x(1), data: Float32Array.of(-7) }],
    x(1, 6, 5, 2),
  ),
  row(
    'MIRROR_PAD reflect',
    mirror('REFLECT'),
    [x(1, 4, 4, 2), table(4, 0, 0, 1, 2, 2, 1, 0, 0)],
    x(1, 7, 7, 2),
  ),
  row(
    'MIRROR_PAD symmetric',
    mirror('SYMMETRIC'),
    [x(1, 3, 4, 2), table(4, 0, 0, 1, 2, 3, 0, 0, 0)],
    x(1, 6, 7, 2),
  ),
  row(
    'MIRROR_PAD symmetric, all of it',
    mirror('SYMMETRIC'),
    [x(2, 3), table(2, 0, 0, 3, 3)],
    x(2, 9),
  ),
  row('SLICE', null, [x(1, 3, 4, 2), ints(0, 1, 0, 1), ints(1, 2, 3, 1)], x(1, 2, 3, 1)),
  row('SLICE to the end', null, [x(3, 4), ints(1, 2), ints(-1, -1)], x(2, 2)),
  row(
    'STRIDED_SLICE',
    slices({}),
    [x(1, 6, 5, 2), ints(0, 1, 0, 0), ints(1, 6, 5, 2), ints(1, 2, 3, 1)],
    x(1, 3, 2, 2),
  ),
  row(
    'STRIDED_SLICE masks',
    slices({ beginMask: 1, endMask: 2 }),
    [x(3, 4), ints(9, 1), ints(2, 9), ints(1, 1)],
    x(2, 3),
  ),
  row(
    'STRIDED_SLICE one element',
    slices({ shrinkAxisMask: 1 }),
    [x(3, 4), ints(1, 0), ints(2, 4), ints(1, 1)],
    x(4),
  ),
  row(
    'STRIDED_SLICE last element',
    slices({ shrinkAxisMask: 2 }),
    [x(3, 4), ints(0, -1), ints(3, 0), ints(1, 1)],
    x(3),
  ),
  row(
    'STRIDED_SLICE backwards',
    slices({ beginMask: 2, endMask: 2 }),
    [x(3, 4), ints(0, 0), ints(3, 0), ints(1, -1)],
    x(3, 4),
  ),
  row(
    'SPLIT',
    { type: 'SplitOptions', numSplits: 2 },
    [int(3), x(1, 3, 4, 4)],
    x(1, 3, 4, 2),
    x(1, 3, 4, 2),
  ),
  row(
    'SPLIT rank 2',
    { type: 'SplitOptions', numSplits: 3 },
    [int(-1), x(2, 6)],
    x(2, 2),
    x(2, 2),
    x(2, 2),
  ),
  row(
    'SPLIT_V',
    { type: 'SplitVOptions', numSplits: 2 },
    [x(1, 3, 4, 4), ints(1, 3), int(3)],
    x(1, 3, 4, 1),
    x(1, 3, 4, 3),
  ),
  row('PACK', { type: 'PackOptions', valuesCount: 2, axis: 1 }, [x(2, 3), x(2, 3)], x(2, 2, 3)),
  row('UNPACK', { type: 'UnpackOptions', num: 2, axis: 1 }, [x(3, 2, 4)], x(3, 4), x(3, 4)),
  row(
    'UNPACK image',
    { type: 'UnpackOptions', num: 2, axis: -1 },
    [x(1, 3, 4, 2)],
    x(1, 3, 4),
    x(1, 3, 4),
  ),
  row('GATHER', axis('GatherOptions', 1), [x(2, 5), ints(4, 0, 2)], x(2, 3)),
  row(
    'GATHER of channels',
    axis('GatherOptions', 3),
    [x(1, 3, 4, 5), ints(4, 0, 2)],
    x(1, 3, 4, 3),
  ),
  row('GATHER_ND', null, [x(3, 4), table(2, 0, 1, 2, 3)], x(2)),
  row('TILE', null, [x(1, 2, 3, 2), ints(1, 2, 1, 3)], x(1, 4, 3, 6)),
  row('BROADCAST_TO', null, [x(2, 1), ints(3, 2, 4)], x(3, 2, 4)),
  row(
    'CAST to int',
    { type: 'CastOptions', inDataType: 'FLOAT32', outDataType: 'INT32' },
    [x(1, 2, 3, 2)],
    counts(1, 2, 3, 2),
  ),
  row(
    'CAST to float',
    { type: 'CastOptions', inDataType: 'INT32', outDataType: 'FLOAT32' },
    [counts(2, 3)],
    x(2, 3),
  ),
  row(
    'ADD of halves',
    fused('AddOptions', 'NONE'),
    [x(2, 3), half(0x3c00, 0xc000, 0x3555)],
    x(2, 3),
  ),
]

/** At least one row for every operator that the importer knows. */
export const CASES: readonly Case[] = [
  ...CONVOLUTIONS,
  ...MATRICES,
  ...ARITHMETIC,
  ...NORMALIZATIONS,
  ...REDUCTIONS,
  ...RESIZES,
  ...SHAPES,
]
