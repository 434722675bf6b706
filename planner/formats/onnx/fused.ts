import { readOnnx } from './codec.ts'

/** What ONNX Runtime computes after its own rewrites. */
export interface FusedOperators {
  /** Operators on integers, by type: `QLinearConv`, `DynamicQuantizeMatMul`, … */
  readonly integer: Readonly<Record<string, number>>
  /** Conversions between numbers that remain as operators of their own. */
  readonly conversions: number
}

const CONVERSIONS = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'])

/** Integer kernels by their names (onnxruntime contrib operators, onnx operators of quantized arithmetic). */
const INTEGER =
  /^(QLinear|QGemm|QAttention|MatMulInteger|DynamicQuantize(MatMul|LSTM)|MatMulNBits|ConvInteger)/

/** Counts in a graph as ONNX Runtime's optimiser left it. @throws OnnxError */
export function fusedIn(optimized: Uint8Array): FusedOperators {
  const nodes = readOnnx(optimized).graph?.node ?? []
  const integer: Record<string, number> = {}
  for (const { opType } of nodes.filter((node) => INTEGER.test(node.opType))) {
    integer[opType] = (integer[opType] ?? 0) + 1
  }
  return {
    integer,
    conversions: nodes.filter(({ opType }) => CONVERSIONS.has(opType)).length,
  }
}
