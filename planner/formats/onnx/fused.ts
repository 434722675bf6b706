import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type OnnxruntimeLoadOptions,
  onnxruntime,
} from '../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { readOnnx } from './codec.ts'
import type { OnnxNode } from './model.ts'

/** What ONNX Runtime computes after its own rewrites. */
export interface FusedOperators {
  /** Operators on integers, by type: `QLinearConv`, `DynamicQuantizeMatMul`, … */
  readonly integer: Readonly<Record<string, number>>
  /** Conversions between numbers that remain as operators of their own. */
  readonly conversions: number
  readonly nodes: number
}

const CONVERSIONS = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'])

/** Integer kernels by their names (onnxruntime contrib operators, onnx operators of quantized arithmetic). */
const INTEGER =
  /^(QLinear|QGemm|QAttention|MatMulInteger|DynamicQuantizeMatMul|MatMulNBits|ConvInteger)/

/** Loads the file, lets the optimiser write what it made of it, and counts. @throws RuntimeError */
export async function fusedOperators(
  bytes: Uint8Array,
  options: Pick<OnnxruntimeLoadOptions, 'signedActivations'> = {},
): Promise<FusedOperators> {
  const directory = await mkdtemp(join(tmpdir(), 'fitment-fused-'))
  const path = join(directory, 'optimized.onnx')
  try {
    // Beyond `extended` come memory layouts of this machine alone.
    const session = await onnxruntime.load(bytes, {
      ...options,
      optimization: 'extended',
      optimizedModelPath: path,
    } as OnnxruntimeLoadOptions)
    await session.close()
    return count(readOnnx(await readFile(path)).graph?.node ?? [])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function count(nodes: readonly OnnxNode[]): FusedOperators {
  const integer: Record<string, number> = {}
  for (const { opType } of nodes.filter((node) => INTEGER.test(node.opType))) {
    integer[opType] = (integer[opType] ?? 0) + 1
  }
  return {
    integer,
    conversions: nodes.filter(({ opType }) => CONVERSIONS.has(opType)).length,
    nodes: nodes.length,
  }
}
