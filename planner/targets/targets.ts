import {
  type ModelFormat,
  type PackagedRuntime,
  RUNTIMES,
  type RuntimeName,
  runtimeOfFiles,
} from '../../shared/runtime/index.ts'
import { EDGETPU } from './accelerators/edgetpu.ts'
import { ETHOS_U } from './accelerators/ethos-u.ts'
import { EXTERNAL } from './accelerators/external.ts'
import { INTEL } from './accelerators/intel.ts'
import { QUALCOMM } from './accelerators/qualcomm.ts'
import { TEXAS_INSTRUMENTS } from './accelerators/texas-instruments.ts'
import { VERISILICON } from './accelerators/verisilicon.ts'
import { ONNXRUNTIME_KERNELS } from './kernels/onnxruntime.ts'
import { onnxruntimeCosts } from './kernels/onnxruntime-costs.ts'
import { LITERT_FILES, TFLITE_FILES } from './litert-files.ts'
import { opsetObstacle } from './onnxruntime-opsets.ts'
import { OPENVINO_FILES } from './openvino-files.ts'
import type { Target } from './target.ts'

/** Runtimes with what computes for them, by vendor. */
const ACCELERATED = {
  ...EDGETPU,
  ...ETHOS_U,
  ...VERISILICON,
  ...QUALCOMM,
  ...TEXAS_INSTRUMENTS,
  ...INTEL,
  ...EXTERNAL,
}

/** A runtime with what computes for it. */
export type AcceleratedName = keyof typeof ACCELERATED

/** A runtime whose own kernels compute everything, or one with an accelerator. */
export type TargetName = RuntimeName | AcceleratedName

/**
 * Every target, a row each. A runtime without a row does not compile; nothing outside this folder may ask for a
 * runtime by name to learn what its files are like.
 */
export const TARGETS: Readonly<Record<TargetName, Target>> = {
  ...ACCELERATED,
  litert: { ...LITERT_FILES, runtime: 'litert' },
  onnxruntime: {
    runtime: 'onnxruntime',
    runsHereIn: 'onnxruntime',
    format: RUNTIMES.onnxruntime.format,
    kernels: ONNXRUNTIME_KERNELS,
    // Signed codes become unsigned on x86 when the model loads; where a value has several readers that fails, and its
    // operators stay in float.
    codes: { usual: 'uint8', bySuffix: { s8s8: 'int8', u8s8: 'uint8' }, narrowSums: true },
    defaultThreads: 'all',
    releases: null,
    opsetObstacle,
    knownCosts: onnxruntimeCosts,
    timesHere: 'same-library',
  },
  tflite: TFLITE_FILES,
  openvino: OPENVINO_FILES,
}

/** The row, as the rest of the planner may see it. */
export function targetOf(name: TargetName): Target {
  return TARGETS[name]
}

export const TARGET_NAMES = Object.keys(TARGETS) as [TargetName, ...TargetName[]]

export const ACCELERATED_NAMES = Object.keys(ACCELERATED) as [AcceleratedName, ...AcceleratedName[]]

/** What a file is run in where no device is spoken of: samples, answers, times of this machine. */
export function referenceTarget(format: ModelFormat): PackagedRuntime {
  return runtimeOfFiles(format)
}
