import type { TflUnion } from '../../../../../planner/formats/tflite/index.ts'
import { type Case, counts, flags, fused, int, ints, longs, noise, row, within } from './case.ts'
import { type Domain, numbersFor, type Operand, randomFrom, x } from './one-operator.ts'

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

export const ARITHMETIC: readonly Case[] = [
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
  ...binary('FLOOR_DIV', 'positive'),
  ...binary('FLOOR_MOD', 'positive'),
  row('FLOOR_MOD of both signs', null, [x(2, 9), noise(2, 9)], x(2, 9)),
  row('ADD_N', null, [x(2, 3), x(2, 3), x(2, 3)], x(2, 3)),
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

export const NORMALIZATIONS: readonly Case[] = [
  row('SOFTMAX', beta(1), [x(2, 5)], x(2, 5)),
  row('SOFTMAX image, beta', beta(0.5), [x(1, 2, 3, 4)], x(1, 2, 3, 4)),
  row('LOG_SOFTMAX', null, [x(2, 5)], x(2, 5)),
  row('LOG_SOFTMAX image', null, [x(1, 2, 3, 4)], x(1, 2, 3, 4)),
  ...unary('L2_NORMALIZATION', 'signed', fused('L2NormOptions', 'NONE')),
  row(
    'LOCAL_RESPONSE_NORMALIZATION',
    { type: 'LocalResponseNormalizationOptions', radius: 2, bias: 1, alpha: 0.3, beta: 0.5 },
    [x(1, 2, 3, 8)],
    x(1, 2, 3, 8),
  ),
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

export const REDUCTIONS: readonly Case[] = [
  ...['MEAN', 'SUM', 'REDUCE_MAX', 'REDUCE_MIN', 'REDUCE_PROD'].flatMap(reduced),
  ...['REDUCE_ANY', 'REDUCE_ALL'].flatMap((kind) =>
    reduced(kind).map(
      (one): Case => ({
        ...one,
        inputs: one.inputs.map((operand, i) =>
          i === 0 ? flags(...(operand?.shape ?? [])) : operand,
        ),
        outputs: one.outputs.map(({ shape }) => flags(...shape)),
      }),
    ),
  ),
  row('CUMSUM', { type: 'CumsumOptions' }, [x(1, 3, 4, 2), int(1)], x(1, 3, 4, 2)),
  row(
    'CUMSUM backwards, without itself',
    { type: 'CumsumOptions', exclusive: true, reverse: true },
    [x(2, 5), int(-1)],
    x(2, 5),
  ),
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

export const RESIZES: readonly Case[] = [
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
