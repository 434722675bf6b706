import { OPERATOR_KINDS, type OperatorKind } from '../../graph/index.ts'
import { FLOAT_ONLY, type KernelFacts, type KernelTable, type OutputRule } from '../kernel-facts.ts'

/** Worth quantizing around: the kernel gains more than a conversion costs. */
const product: KernelFacts = {
  ...FLOAT_ONLY,
  integer: { output: { law: 'free' }, int16: false },
}

/** Has an integer kernel, which alone between float operators gains less than the conversions cost. */
function follower(output: OutputRule): KernelFacts {
  return { ...FLOAT_ONLY, integer: { output, int16: false }, movesOnly: true }
}

const free = follower({ law: 'free' })
const copies = follower({ law: 'same-as-input' })
const unitInterval = follower({
  law: 'fixed',
  int8: { scale: 1 / 256, zeroPoint: -128 },
  int16: null,
})

/**
 * Operators that ONNX Runtime's CPU provider computes on integers when they stand between
 * DequantizeLinear and QuantizeLinear; all others would compute in float between two conversions.
 * Held to the installed runtime by a test that counts what became of each.
 */
const INTEGER: Partial<Record<OperatorKind, KernelFacts>> = {
  conv: product,
  'depthwise-conv': product,
  'fully-connected': { ...product, hybrid: 'kernel', floatResult: true, blocks: true },
  'batch-matmul': { ...product, floatResult: true },
  recurrent: { ...FLOAT_ONLY, hybrid: 'kernel' },

  add: free,
  mul: free,
  concatenation: free,
  'average-pool': free,
  'leaky-relu': free,
  softmax: unitInterval,
  logistic: unitInterval,

  'max-pool': copies,
  'resize-nearest': copies,
  transpose: copies,
  reshape: copies,
  squeeze: copies,
  'expand-dims': copies,
  slice: copies,
  gather: copies,
  split: copies,
  tile: copies,
  'broadcast-to': copies,
  'reduce-max': copies,
  'reduce-min': copies,
}

/** What ONNX Runtime does with each kind; kinds without a row stay in float. */
export const ONNXRUNTIME_KERNELS: KernelTable = Object.fromEntries(
  OPERATOR_KINDS.map((kind) => [kind, INTEGER[kind] ?? FLOAT_ONLY]),
) as KernelTable
