import { RUNTIMES } from '../../shared/runtime/index.ts'
import { LITERT_KERNELS } from './kernels/litert.ts'
import type { Target } from './target.ts'

/** Files that LiteRT's kernels compute, in whichever library of the device: one quantizer's work for all of them. */
export const LITERT_FILES = {
  runsHereIn: 'litert',
  format: RUNTIMES.litert.format,
  kernels: LITERT_KERNELS,
  codes: { usual: 'int8', bySuffix: {}, narrowSums: false },
  defaultThreads: 1,
  releases: 'TensorFlow Lite',
  opsetObstacle: () => undefined,
  knownCosts: null,
  timesHere: 'slower-than-native',
} as const satisfies Partial<Target>

/** Such files in the device's own library, with what computes for it. */
export const TFLITE_FILES = {
  ...LITERT_FILES,
  runtime: 'tflite',
  filesOf: 'litert',
} as const satisfies Target
