import { RUNTIMES } from '../../shared/runtime/index.ts'
import { ONNXRUNTIME_KERNELS } from './kernels/onnxruntime.ts'
import type { Target } from './target.ts'

/** Files that OpenVINO reads, on whichever of its devices. */
export const OPENVINO_FILES = {
  runtime: 'openvino',
  runsHereIn: 'onnxruntime',
  format: RUNTIMES.openvino.format,
  kernels: ONNXRUNTIME_KERNELS,
  // It reads QuantizeLinear and DequantizeLinear as they stand, and sums in 32 bits.
  codes: { usual: 'uint8', bySuffix: { s8s8: 'int8', u8s8: 'uint8' }, narrowSums: false },
  defaultThreads: 'all',
  releases: null,
  opsetObstacle: () => undefined,
  knownCosts: null,
  timesHere: 'slower-than-native',
} as const satisfies Target
