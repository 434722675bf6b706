import type { TflUnion } from './model.ts'

/** What decides an operator's version: its types, its shapes, its options. */
export interface OperatorSignature {
  readonly inputs: readonly (TensorSignature | null)[]
  readonly outputs: readonly TensorSignature[]
  readonly options: TflUnion | null
}

export interface TensorSignature {
  readonly type: string
  readonly shape: readonly number[]
  /** Number of scales; above 1 along `quantizedDimension`. 0 where not quantized. */
  readonly scales: readonly number[]
  readonly sparse: boolean
}

interface VersionRule {
  readonly version: number
  readonly when: (signature: OperatorSignature) => boolean
}

/** `INT8:2 INT16:3`: the version that first took this type at input `at`. */
function types(row: string, at = 0): VersionRule[] {
  return row.split(' ').map((entry) => {
    const [type, version] = entry.split(':')
    return { version: Number(version), when: ({ inputs }) => inputs[at]?.type === type }
  })
}

function when(version: number, test: VersionRule['when']): VersionRule {
  return { version, when: test }
}

const hybrid: VersionRule['when'] = ({ inputs, outputs }) =>
  inputs[0]?.type === 'FLOAT32' && inputs[1]?.type === 'INT8' && outputs[0]?.type === 'FLOAT32'
const perChannel: VersionRule['when'] = ({ inputs }) => (inputs[1]?.scales.length ?? 0) > 1
const flag =
  (field: string): VersionRule['when'] =>
  ({ options }) =>
    options?.[field] === true
const weight =
  (type: string): VersionRule['when'] =>
  ({ inputs }) =>
    inputs[1]?.type === type
const rankAbove =
  (rank: number): VersionRule['when'] =>
  ({ inputs }) =>
    Math.max(...inputs.map((input) => input?.shape.length ?? 0)) > rank
const broadcastAbove4: VersionRule['when'] = (signature) =>
  rankAbove(4)(signature) && signature.inputs[0]?.shape.join() !== signature.inputs[1]?.shape.join()
const both =
  (...tests: VersionRule['when'][]): VersionRule['when'] =>
  (signature) =>
    tests.every((test) => test(signature))
const typedBias: VersionRule['when'] = ({ inputs, options }) =>
  inputs.some((input) => input?.type === 'INT16') &&
  typeof options?.quantizedBiasType === 'string' &&
  options.quantizedBiasType !== 'FLOAT32'
const freeScales16: VersionRule['when'] = ({ inputs, options }) =>
  inputs[0]?.type === 'INT16' && options?.potScaleInt16 === false

const INT8_2 = types('INT8:2')
const INT8_2_INT16_3 = types('INT8:2 INT16:3')

/**
 * Operator → features and the version each needs; an operator's version is the highest among the
 * features it uses, 1 without any. Facts from LiteRT's op_version.cc.
 */
const RULES: Record<string, readonly VersionRule[]> = {
  ABS: types('INT8:2 UINT8:2 INT16:3 INT32:5'),
  ADD: [...INT8_2, when(3, freeScales16), ...types('INT64:4')],
  ARG_MAX: types('INT8:2 BOOL:3'),
  ARG_MIN: types('INT8:2 BOOL:3'),
  AVERAGE_POOL_2D: INT8_2_INT16_3,
  BATCH_MATMUL: [...INT8_2_INT16_3, when(4, both(hybrid, flag('asymmetricQuantizeInputs')))],
  BATCH_TO_SPACE_ND: [
    ...types('INT8:2 INT16:4'),
    when(3, ({ inputs }) => inputs[0]?.shape.length !== 4),
  ],
  BROADCAST_TO: [when(2, () => true), ...types('INT8:3 INT16:3')],
  CONCATENATION: types('INT8:2 INT16:3 UINT32:4'),
  CONV_2D: [
    when(2, hybrid),
    ...types('INT8:3'),
    ...types('INT16:4'),
    when(5, both(hybrid, perChannel)),
    when(6, ({ inputs }) => isGrouped(inputs[0], inputs[1])),
    when(7, weight('INT4')),
    when(8, typedBias),
  ],
  DEPTH_TO_SPACE: INT8_2,
  DEPTHWISE_CONV_2D: [
    when(2, ({ options }) => isDilated(options)),
    ...types('INT8:3'),
    when(4, hybrid),
    ...types('INT16:5'),
    when(6, both(hybrid, perChannel)),
    when(7, weight('INT4')),
  ],
  DEQUANTIZE: [
    ...types('INT8:2 INT16:3 FLOAT16:3 INT4:6'),
    when(5, ({ inputs }) => inputs[0]?.type === 'INT8' && inputs[0].scales.length > 1),
  ],
  DIV: [when(2, broadcastAbove4)],
  DYNAMIC_UPDATE_SLICE: [...types('INT64:2', 2), ...types('FLOAT16:3 INT16:4 INT4:5 BFLOAT16:6')],
  EMBEDDING_LOOKUP: [...types('UINT8:2 INT8:3 INT4:4', 1)],
  EQUAL: types('INT8:2 STRING:3 INT16:5'),
  EXP: types('INT8:2 INT16:2'),
  FILL: types('BOOL:2 STRING:2 INT8:3 INT16:3 FLOAT16:4', 1),
  FULLY_CONNECTED: [
    when(2, ({ options }) => options?.weightsFormat === 'SHUFFLED4x16INT8'),
    when(3, hybrid),
    ...types('INT8:4'),
    when(5, flag('keepNumDims')),
    when(6, ({ inputs }) => inputs.length === 2),
    ...types('INT16:7'),
    when(8, ({ inputs }) => inputs[1]?.sparse === true),
    when(9, both(hybrid, flag('asymmetricQuantizeInputs'))),
    when(10, weight('INT4')),
    when(11, typedBias),
    when(12, both(hybrid, perChannel)),
  ],
  GATHER: [
    ...types('INT8:2 BOOL:3 INT16:4 INT4:7'),
    when(5, ({ options }) => options !== null && options.batchDims !== 0),
    ...types('INT16:6', 1),
  ],
  GATHER_ND: [...types('STRING:2 INT16:3 BOOL:5'), ...types('INT16:4', 1)],
  GELU: types('INT8:2 UINT8:2'),
  GREATER: INT8_2,
  GREATER_EQUAL: INT8_2_INT16_3,
  L2_NORMALIZATION: INT8_2,
  LEAKY_RELU: types('INT16:2'),
  LESS: INT8_2_INT16_3,
  LESS_EQUAL: INT8_2,
  LOG: types('INT8:2 INT16:2'),
  LOG_SOFTMAX: INT8_2,
  LOGISTIC: INT8_2_INT16_3,
  MAX_POOL_2D: INT8_2_INT16_3,
  MAXIMUM: [...types('INT8:2 INT16:4'), when(3, broadcastAbove4)],
  MEAN: INT8_2_INT16_3,
  MINIMUM: [...types('INT8:2 INT16:4'), when(3, broadcastAbove4)],
  MIRROR_PAD: INT8_2_INT16_3,
  MUL: [
    ...types('INT8:2 INT16:4 INT64:5 COMPLEX64:6 UINT32:7'),
    when(3, ({ inputs, outputs }) => isLargeProduct(inputs, outputs[0])),
  ],
  NOT_EQUAL: types('INT8:2 STRING:3 INT16:4'),
  PACK: types('INT8:2 INT16:3 UINT32:4'),
  PAD: [...INT8_2_INT16_3, when(4, rankAbove(4))],
  PADV2: [...INT8_2_INT16_3, when(4, rankAbove(4))],
  QUANTIZE: [
    when(2, ({ outputs }) => outputs[0]?.type === 'INT16'),
    when(3, ({ outputs }) => (outputs[0]?.scales.length ?? 0) > 1),
    when(4, ({ inputs, outputs }) => inputs[0]?.type === 'INT4' || outputs[0]?.type === 'INT4'),
  ],
  REDUCE_MAX: INT8_2_INT16_3,
  REDUCE_MIN: INT8_2_INT16_3,
  RELU: types('INT8:2 UINT8:2 INT16:3'),
  RELU6: INT8_2_INT16_3,
  RESIZE_BILINEAR: [...types('INT8:2 INT16:4'), when(3, flag('halfPixelCenters'))],
  RESIZE_NEAREST_NEIGHBOR: [
    ...types('INT8:2 INT16:4'),
    when(3, flag('halfPixelCenters')),
    when(3, flag('alignCorners')),
  ],
  REVERSE_V2: types('BOOL:2 INT8:3'),
  RSQRT: INT8_2_INT16_3,
  SELECT: [...types('INT8:2', 1), when(3, rankAbove(4))],
  SLICE: [...types('INT8:2 STRING:3 INT16:4 UINT32:6'), when(5, rankAbove(4))],
  SOFTMAX: INT8_2_INT16_3,
  SPACE_TO_BATCH_ND: [
    ...types('INT8:2 INT16:4'),
    when(3, ({ inputs }) => inputs[0]?.shape.length !== 4),
  ],
  SPACE_TO_DEPTH: INT8_2,
  SPLIT: types('INT8:2 INT32:3 INT16:4', 1),
  SPLIT_V: INT8_2,
  SQRT: types('INT8:2 INT16:2'),
  SQUARED_DIFFERENCE: INT8_2,
  SQUEEZE: types('STRING:2'),
  STRIDED_SLICE: [
    ...types('INT8:2 BOOL:3 STRING:5 UINT32:7'),
    when(4, rankAbove(4)),
    when(6, ({ options }) => Boolean(options?.ellipsisMask) || Boolean(options?.newAxisMask)),
    when(8, flag('offset')),
  ],
  SUB: [...types('INT8:2 INT64:4'), when(3, broadcastAbove4), when(5, freeScales16)],
  SUM: INT8_2,
  SVDF: [
    when(2, hybrid),
    ...types('INT8:3'),
    when(4, both(hybrid, flag('asymmetricQuantizeInputs'))),
  ],
  TANH: INT8_2_INT16_3,
  TILE: types('STRING:2 INT8:3'),
  TOPK_V2: INT8_2_INT16_3,
  TRANSPOSE: [
    ...types('INT8:2 BOOL:3 INT16:5'),
    when(4, ({ inputs }) => (inputs[0]?.shape.length ?? 0) > 4),
    when(6, ({ inputs }) => (inputs[0]?.shape.length ?? 0) > 5),
  ],
  TRANSPOSE_CONV: [
    ...types('INT8:2', 1),
    when(3, ({ inputs }) => (inputs[3] ?? null) !== null),
    when(4, ({ options }) => (options?.fusedActivationFunction ?? 'NONE') !== 'NONE'),
    when(5, typedBias),
  ],
  UNPACK: types('INT8:2 UINT8:2 BOOL:3 INT16:4'),
  WHERE: [when(2, ({ inputs }) => inputs[0]?.type !== 'BOOL')],
}

/** Version of a builtin operator for the form it is in: the lowest that has every feature it uses. */
export function versionOf(builtinCode: string, signature: OperatorSignature): number {
  const rules = RULES[builtinCode] ?? []
  return rules
    .filter((rule) => rule.when(signature))
    .reduce((highest, rule) => Math.max(highest, rule.version), 1)
}

function isGrouped(
  input: TensorSignature | null | undefined,
  filter: TensorSignature | null | undefined,
): boolean {
  const channels = input?.shape[3]
  const taken = filter?.shape[3]
  return channels !== undefined && taken !== undefined && channels > 0 && channels !== taken
}

function isDilated(options: TflUnion | null): boolean {
  return (options?.dilationWFactor ?? 1) !== 1 || (options?.dilationHFactor ?? 1) !== 1
}

/** A product that has to be scaled up came with version 3. */
function isLargeProduct(
  inputs: OperatorSignature['inputs'],
  output: TensorSignature | undefined,
): boolean {
  const [a] = inputs[0]?.scales ?? []
  const [b] = inputs[1]?.scales ?? []
  const [c] = output?.scales ?? []
  return a !== undefined && b !== undefined && c !== undefined && (a * b) / c >= 1
}
