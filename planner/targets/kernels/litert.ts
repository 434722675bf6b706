import {
  type FixedParameters,
  FLOAT_ONLY,
  type KernelFacts,
  type KernelTable,
  type OutputRule,
} from '../kernel-facts.ts'

const FREE: OutputRule = { law: 'free' }
const NO_NUMBERS: OutputRule = { law: 'no-numbers' }

function computes(output: OutputRule, int16: boolean): KernelFacts {
  return { ...FLOAT_ONLY, integer: { output, int16 } }
}

function copies(int16: boolean): KernelFacts {
  return { ...computes({ law: 'same-as-input' }, int16), movesOnly: true }
}

function merges(int16: boolean): KernelFacts {
  return { ...computes({ law: 'same-as-output' }, int16), movesOnly: true }
}

function fixed(int8: FixedParameters, int16: FixedParameters | null): KernelFacts {
  return computes({ law: 'fixed', int8, int16 }, int16 !== null)
}

function weighted(): KernelFacts {
  return { ...computes(FREE, true), hybrid: 'kernel', biasWanted: true }
}

/** Range [0, 1) in 256 steps; 16-bit kernels take the symmetric ±1. */
const UNIT_INTERVAL = { scale: 1 / 256, zeroPoint: -128 }
const PLUS_MINUS_ONE = { scale: 1 / 128, zeroPoint: 0 }
const SIXTEEN_BIT_ONE = { scale: 1 / 32768, zeroPoint: 0 }

/**
 * Everything the quantizer knows about operators, as data. Sources: LiteRT's 8-bit quantization
 * specification and its kernels' checks, operator_property.cc and tfl_ops.td of TensorFlow Lite.
 */
export const LITERT_KERNELS: KernelTable = {
  conv: weighted(),
  'depthwise-conv': weighted(),
  // Its bias is optional on the fast path; hybrid kernels exist in recent runtimes only.
  'transpose-conv': { ...computes(FREE, true), hybrid: 'through-dequantize' },
  'fully-connected': weighted(),
  'batch-matmul': { ...computes(FREE, true), hybrid: 'kernel' },
  'embedding-lookup': { ...FLOAT_ONLY, hybrid: 'kernel' },
  // State and gate tensors carry scales derived from each other: left in float.
  svdf: FLOAT_ONLY,
  recurrent: FLOAT_ONLY,

  softmax: fixed(UNIT_INTERVAL, SIXTEEN_BIT_ONE),
  'log-softmax': fixed({ scale: 16 / 256, zeroPoint: 127 }, null),
  logistic: fixed(UNIT_INTERVAL, SIXTEEN_BIT_ONE),
  tanh: fixed(PLUS_MINUS_ONE, SIXTEEN_BIT_ONE),
  'l2-normalization': fixed(PLUS_MINUS_ONE, null),

  add: computes(FREE, true),
  sub: computes(FREE, true),
  mul: computes(FREE, true),
  div: computes(FREE, false),
  'squared-difference': computes(FREE, false),
  maximum: computes({ law: 'same-as-output' }, true),
  minimum: computes({ law: 'same-as-output' }, true),
  prelu: computes(FREE, false),

  relu: computes(FREE, true),
  relu6: computes(FREE, true),
  'relu-n1-to-1': computes(FREE, false),
  'relu-0-to-1': computes(FREE, false),
  'leaky-relu': computes(FREE, true),
  'hard-swish': computes(FREE, false),
  gelu: computes(FREE, false),
  elu: computes(FREE, false),
  abs: computes(FREE, true),
  exp: computes(FREE, true),
  log: computes(FREE, true),
  sqrt: computes(FREE, false),
  rsqrt: computes(FREE, true),
  mean: computes(FREE, true),
  sum: computes(FREE, false),
  'reduce-max': computes({ law: 'same-as-input' }, true),
  'reduce-min': computes({ law: 'same-as-input' }, true),
  'average-pool': computes({ law: 'same-as-input' }, true),
  'max-pool': computes({ law: 'same-as-input' }, true),
  'resize-bilinear': computes({ law: 'same-as-input' }, true),
  'resize-nearest': copies(true),

  reshape: copies(true),
  squeeze: copies(true),
  'expand-dims': copies(true),
  transpose: copies(true),
  slice: copies(true),
  'strided-slice': copies(true),
  split: copies(true),
  unpack: copies(true),
  gather: copies(true),
  'gather-nd': copies(true),
  pad: copies(true),
  'pad-value': merges(true),
  'mirror-pad': copies(true),
  tile: copies(false),
  reverse: copies(false),
  'broadcast-to': copies(true),
  'space-to-batch': copies(true),
  'batch-to-space': copies(true),
  'space-to-depth': copies(false),
  'depth-to-space': copies(false),
  fill: copies(true),
  // Its kernel fills the gaps with code 0, whatever the zero point says.
  'scatter-nd': {
    ...computes({ law: 'same-as-output', centred: true }, false),
    movesOnly: true,
  },
  'top-k': copies(true),
  concatenation: merges(true),
  pack: merges(true),
  select: merges(true),
  'dynamic-update-slice': merges(true),

  'arg-max': computes(NO_NUMBERS, false),
  'arg-min': computes(NO_NUMBERS, false),
  equal: computes(NO_NUMBERS, true),
  'not-equal': computes(NO_NUMBERS, true),
  greater: computes(NO_NUMBERS, false),
  'greater-equal': computes(NO_NUMBERS, true),
  less: computes(NO_NUMBERS, true),
  'less-equal': computes(NO_NUMBERS, false),

  quantize: FLOAT_ONLY,
  dequantize: FLOAT_ONLY,
  'fake-quant': FLOAT_ONLY,
  'control-flow': FLOAT_ONLY,
  other: FLOAT_ONLY,
}
