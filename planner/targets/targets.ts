import type { ModelFormat } from '../../shared/runtime/index.ts'
import type { KernelTable } from './kernel-facts.ts'
import { LITERT_KERNELS } from './kernels/litert.ts'
import { ONNXRUNTIME_KERNELS } from './kernels/onnxruntime.ts'

/** What the runtime of each format does with each kind of operator. */
export const FACTS: Record<ModelFormat, KernelTable> = {
  tflite: LITERT_KERNELS,
  onnx: ONNXRUNTIME_KERNELS,
}
