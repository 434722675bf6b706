import type { InputRole, OperatorKind } from '../../graph/index.ts'
import { floatOf, intOf, stringOf } from './attributes.ts'
import type { OnnxNode } from './model.ts'

export interface NativeInput {
  readonly role: InputRole
  readonly channelAxis: number | null
  readonly inputAxis: number | null
}

export interface NativeOperator {
  readonly kind: OperatorKind
  readonly inputs: readonly NativeInput[]
  /** The last of `inputs` stands for any number of them. */
  readonly variadic: boolean
}

/**
 * Operator → kind and inputs in order: `a` activation, `a1` one whose channels are dimension 1,
 * `w0<1` weight whose output channels run along dimension 0 and input channels along 1, `b` bias,
 * `s` shapes, axes, indices, conditions; `*` repeats.
 */
const TABLE: Readonly<Record<string, `${OperatorKind}: ${string}`>> = {
  Conv: 'conv: a1 w0<1 b',
  ConvTranspose: 'transpose-conv: a1 w1<0 b',
  LSTM: 'recurrent: a w1 w1 b s a a a',
  GRU: 'recurrent: a w1 w1 b s a',
  RNN: 'recurrent: a w1 w1 b s a',
  Softmax: 'softmax: a',
  LogSoftmax: 'log-softmax: a',
  Sigmoid: 'logistic: a',
  Tanh: 'tanh: a',
  Add: 'add: a a',
  Sub: 'sub: a a',
  Mul: 'mul: a a',
  Div: 'div: a a',
  Max: 'maximum: a*',
  Min: 'minimum: a*',
  PRelu: 'prelu: a a',
  Relu: 'relu: a',
  Clip: 'relu6: a s s',
  LeakyRelu: 'leaky-relu: a',
  HardSwish: 'hard-swish: a',
  Gelu: 'gelu: a',
  Elu: 'elu: a',
  Abs: 'abs: a',
  Exp: 'exp: a',
  Log: 'log: a',
  Sqrt: 'sqrt: a',
  ReduceMean: 'mean: a s',
  ReduceSum: 'sum: a s',
  ReduceMax: 'reduce-max: a s',
  ReduceMin: 'reduce-min: a s',
  AveragePool: 'average-pool: a',
  GlobalAveragePool: 'average-pool: a',
  MaxPool: 'max-pool: a',
  Reshape: 'reshape: a s',
  Flatten: 'reshape: a',
  Squeeze: 'squeeze: a s',
  Unsqueeze: 'expand-dims: a s',
  Transpose: 'transpose: a',
  Slice: 'slice: a s s s s',
  Split: 'split: a s',
  Gather: 'gather: a s',
  GatherElements: 'gather: a s',
  GatherND: 'gather-nd: a s',
  Pad: 'pad: a s s s',
  Tile: 'tile: a s',
  Expand: 'broadcast-to: a s',
  SpaceToDepth: 'space-to-depth: a',
  DepthToSpace: 'depth-to-space: a',
  TopK: 'top-k: a s',
  Concat: 'concatenation: a*',
  Where: 'select: s a a',
  ArgMax: 'arg-max: a',
  ArgMin: 'arg-min: a',
  QuantizeLinear: 'quantize: a s s',
  DequantizeLinear: 'dequantize: a s s',
  If: 'control-flow: s*',
  Loop: 'control-flow: s*',
  Scan: 'control-flow: s*',
  Shape: 'other: s',
  Size: 'other: s',
}

/** Operators whose row depends on their attributes, or on what their inputs are. */
const DEPENDENT: Readonly<
  Record<string, (node: OnnxNode, isMatrix: (input: number) => boolean) => string>
> = {
  Gemm: (node) =>
    intOf(node, 'transB', 0) === 1 ? 'fully-connected: a w0<1 b' : 'fully-connected: a w1<0 b',
  MatMul: (_, isMatrix) => (isMatrix(1) ? 'fully-connected: a w1<0' : 'batch-matmul: a a'),
  Resize: (node) =>
    stringOf(node, 'mode', 'nearest') === 'nearest'
      ? 'resize-nearest: a s s s'
      : 'resize-bilinear: a s s s',
}

const ROLES: Record<string, InputRole> = { a: 'activation', w: 'weight', b: 'bias', s: 'shape' }

/** @param isMatrix whether an input is a constant of rank 2 */
export function nativeOperator(
  node: OnnxNode,
  isMatrix: (input: number) => boolean,
): NativeOperator {
  if (node.domain !== '') return parse('other: a*')
  const dependent = DEPENDENT[node.opType]?.(node, isMatrix)
  return parse(dependent ?? TABLE[node.opType] ?? 'other: a*')
}

export function nativeInput({ inputs, variadic }: NativeOperator, position: number): NativeInput {
  const last = variadic ? inputs.at(-1) : undefined
  return inputs[position] ?? last ?? { role: 'shape', channelAxis: null, inputAxis: null }
}

function parse(row: string): NativeOperator {
  const [kind, inputs = ''] = row.split(': ')
  return {
    kind: kind as OperatorKind,
    inputs: inputs.split(' ').map((code) => ({
      role: ROLES[code.charAt(0)] ?? 'shape',
      channelAxis: digitAt(code, 1),
      inputAxis: digitAt(code, code.indexOf('<') + 1 || code.length),
    })),
    variadic: inputs.endsWith('*'),
  }
}

function digitAt(code: string, at: number): number | null {
  const digit = code.charAt(at)
  return /\d/.test(digit) ? Number(digit) : null
}

/** Attributes for which the integer kernels are missing. */
export function attributeObstacle(node: OnnxNode): string | null {
  if (node.opType === 'Gemm') {
    const plain = floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1
    if (!plain || intOf(node, 'transA', 0) === 1) return 'it scales or transposes its operands'
  }
  if (node.opType === 'GRU' || node.opType === 'RNN')
    return 'only an LSTM has a kernel for int8 weights'
  if (node.opType === 'LSTM' && intOf(node, 'layout', 0) === 1) return 'it takes batches first'
  if (node.opType === 'MaxPool' && node.output.length > 1) return 'it gives out indices too'
  return null
}
