import type { InputRole, OperatorKind } from '../../graph/index.ts'

/** What one builtin operator is to the quantizer. */
export interface NativeOperator {
  readonly kind: OperatorKind
  readonly inputs: readonly NativeInput[]
  /** The last of `inputs` stands for any number of them. */
  readonly variadic: boolean
}

export interface NativeInput {
  readonly role: InputRole
  readonly channelAxis: number | null
  readonly inputAxis: number | null
}

/**
 * Builtin operator → kind and inputs in order: `a` activation, `w0<3` weight whose output channels run
 * along dimension 0 and input channels along 3, `b` bias, `s` shapes, axes, indices, conditions; `*` repeats.
 */
const TABLE = {
  CONV_2D: 'conv: a w0<3 b',
  DEPTHWISE_CONV_2D: 'depthwise-conv: a w3 b',
  TRANSPOSE_CONV: 'transpose-conv: s w0<3 a b',
  FULLY_CONNECTED: 'fully-connected: a w0<1 b',
  BATCH_MATMUL: 'batch-matmul: a a',
  EMBEDDING_LOOKUP: 'embedding-lookup: s w',
  SVDF: 'svdf: a w w b s',
  RNN: 'recurrent: a*',
  UNIDIRECTIONAL_SEQUENCE_RNN: 'recurrent: a*',
  BIDIRECTIONAL_SEQUENCE_RNN: 'recurrent: a*',
  LSTM: 'recurrent: a*',
  UNIDIRECTIONAL_SEQUENCE_LSTM: 'recurrent: a*',
  BIDIRECTIONAL_SEQUENCE_LSTM: 'recurrent: a*',

  SOFTMAX: 'softmax: a',
  LOG_SOFTMAX: 'log-softmax: a',
  LOGISTIC: 'logistic: a',
  TANH: 'tanh: a',
  L2_NORMALIZATION: 'l2-normalization: a',

  ADD: 'add: a a',
  SUB: 'sub: a a',
  MUL: 'mul: a a',
  DIV: 'div: a a',
  SQUARED_DIFFERENCE: 'squared-difference: a a',
  MAXIMUM: 'maximum: a a',
  MINIMUM: 'minimum: a a',
  PRELU: 'prelu: a a',

  RELU: 'relu: a',
  RELU6: 'relu6: a',
  RELU_N1_TO_1: 'relu-n1-to-1: a',
  RELU_0_TO_1: 'relu-0-to-1: a',
  LEAKY_RELU: 'leaky-relu: a',
  HARD_SWISH: 'hard-swish: a',
  GELU: 'gelu: a',
  ELU: 'elu: a',
  ABS: 'abs: a',
  EXP: 'exp: a',
  LOG: 'log: a',
  SQRT: 'sqrt: a',
  RSQRT: 'rsqrt: a',
  MEAN: 'mean: a s',
  SUM: 'sum: a s',
  REDUCE_MAX: 'reduce-max: a s',
  REDUCE_MIN: 'reduce-min: a s',
  AVERAGE_POOL_2D: 'average-pool: a',
  MAX_POOL_2D: 'max-pool: a',
  RESIZE_BILINEAR: 'resize-bilinear: a s',
  RESIZE_NEAREST_NEIGHBOR: 'resize-nearest: a s',

  RESHAPE: 'reshape: a s',
  SQUEEZE: 'squeeze: a',
  EXPAND_DIMS: 'expand-dims: a s',
  TRANSPOSE: 'transpose: a s',
  SLICE: 'slice: a s s',
  STRIDED_SLICE: 'strided-slice: a s s s',
  SPLIT: 'split: s a',
  SPLIT_V: 'split: a s s',
  UNPACK: 'unpack: a',
  GATHER: 'gather: a s',
  GATHER_ND: 'gather-nd: a s',
  PAD: 'pad: a s',
  PADV2: 'pad-value: a s a',
  MIRROR_PAD: 'mirror-pad: a s',
  TILE: 'tile: a s',
  REVERSE_V2: 'reverse: a s',
  BROADCAST_TO: 'broadcast-to: a s',
  SPACE_TO_BATCH_ND: 'space-to-batch: a s s',
  BATCH_TO_SPACE_ND: 'batch-to-space: a s s',
  SPACE_TO_DEPTH: 'space-to-depth: a',
  DEPTH_TO_SPACE: 'depth-to-space: a',
  FILL: 'fill: s a',
  SCATTER_ND: 'scatter-nd: s a s',
  TOPK_V2: 'top-k: a s',
  CONCATENATION: 'concatenation: a*',
  PACK: 'pack: a*',
  SELECT: 'select: s a a',
  SELECT_V2: 'select: s a a',
  DYNAMIC_UPDATE_SLICE: 'dynamic-update-slice: a a s',

  ARG_MAX: 'arg-max: a s',
  ARG_MIN: 'arg-min: a s',
  EQUAL: 'equal: a a',
  NOT_EQUAL: 'not-equal: a a',
  GREATER: 'greater: a a',
  GREATER_EQUAL: 'greater-equal: a a',
  LESS: 'less: a a',
  LESS_EQUAL: 'less-equal: a a',

  QUANTIZE: 'quantize: a',
  DEQUANTIZE: 'dequantize: a',
  FAKE_QUANT: 'fake-quant: a',
  IF: 'control-flow: s a*',
  WHILE: 'control-flow: a*',
  CALL: 'control-flow: a*',
  CALL_ONCE: 'control-flow: a*',
} as const satisfies Record<string, `${OperatorKind}: ${string}`>

const ROLES: Record<string, InputRole> = { a: 'activation', w: 'weight', b: 'bias', s: 'shape' }

const OTHER = parse('other: a*')
const byName = new Map(Object.entries(TABLE).map(([name, row]) => [name, parse(row)]))

/** Operators the table does not name are `other`: they stay as they are. */
export function nativeOperator(builtinCode: string): NativeOperator {
  return byName.get(builtinCode) ?? OTHER
}

/** The role of input `position`; beyond the table's row, an input is left alone. */
export function nativeInput(operator: NativeOperator, position: number): NativeInput {
  const { inputs, variadic } = operator
  const last = variadic ? inputs[inputs.length - 1] : undefined
  return inputs[position] ?? last ?? { role: 'shape', channelAxis: null, inputAxis: null }
}

function parse(row: string): NativeOperator {
  const [kind, inputs = ''] = row.split(': ')
  return {
    kind: kind as OperatorKind,
    inputs: inputs.split(' ').map((code) => ({
      role: ROLES[code.charAt(0)] ?? 'shape',
      channelAxis: axisAfter('w', code),
      inputAxis: axisAfter('<', code),
    })),
    variadic: inputs.endsWith('*'),
  }
}

function axisAfter(mark: string, code: string): number | null {
  const digit = code.split(mark)[1]?.charAt(0)
  return digit ? Number(digit) : null
}
