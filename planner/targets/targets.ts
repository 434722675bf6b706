import {
  type ModelFormat,
  type PackagedRuntime,
  RUNTIMES,
  type RuntimeName,
  runtimeOfFiles,
} from '../../shared/runtime/index.ts'
import type { SchemeSuffix } from '../../shared/schemes.ts'
import type { ActivationType, Graph } from '../graph/index.ts'
import type { KernelCosts } from './kernel-costs.ts'
import type { KernelTable } from './kernel-facts.ts'
import { LITERT_KERNELS } from './kernels/litert.ts'
import { ONNXRUNTIME_KERNELS } from './kernels/onnxruntime.ts'
import { onnxruntimeCosts } from './kernels/onnxruntime-costs.ts'
import { opsetObstacle } from './onnxruntime-opsets.ts'

/** What a file can be made for: everything that planning knows of a runtime, as one row. */
export interface Target {
  readonly runtime: RuntimeName
  /** What runs such files on this host, for answers and samples: native libraries are the devices'. */
  readonly runsHereIn: PackagedRuntime
  readonly format: ModelFormat
  /** What its kernels do with each kind of operator. */
  readonly kernels: KernelTable
  /** Integer codes of activations. */
  readonly codes: {
    /** Where the scheme's name leaves it open. */
    readonly usual: Exclude<ActivationType, 'int16'>
    /** Suffixes that say it, where kernels have the choice. */
    readonly bySuffix: Partial<Record<SchemeSuffix, Exclude<ActivationType, 'int16'>>>
    /** Its x86 kernels add two products in 16 bits where the processor has no VNNI (8-bit dot product). */
    readonly narrowSums: boolean
  }
  /** Threads that a run takes unless told otherwise; beside a runtime of one, a second copy shares the samples. */
  readonly defaultThreads: 1 | 'all'
  /** Releases that files may be held to, e.g. TensorFlow Lite 2.5; null where none is known by its operators. */
  readonly releases: 'TensorFlow Lite' | null
  /** Why an installed version cannot load a file of this opset; undefined when it can, or nobody knows. */
  opsetObstacle(opset: number, version: string | null): string | undefined
  /** What kernels are known to cost before anyone measures; null where nobody knows. */
  readonly knownCosts: ((graph: Graph, activations: ActivationType) => KernelCosts) | null
  /** What a time measured in it here says of devices. */
  readonly timesHere: 'same-library' | 'slower-than-native'
}

/** One per runtime, so far. */
export type TargetName = RuntimeName

/**
 * Every target, a row each. A runtime without a row does not compile; nothing outside this folder may ask for a
 * runtime by name to learn what its files are like.
 */
export const TARGETS: Readonly<Record<TargetName, Target>> = {
  litert: {
    runtime: 'litert',
    runsHereIn: 'litert',
    format: RUNTIMES.litert.format,
    kernels: LITERT_KERNELS,
    codes: { usual: 'int8', bySuffix: {}, narrowSums: false },
    defaultThreads: 1,
    releases: 'TensorFlow Lite',
    opsetObstacle: () => undefined,
    knownCosts: null,
    timesHere: 'slower-than-native',
  },
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
  tflite: {
    runtime: 'tflite',
    runsHereIn: 'litert',
    format: RUNTIMES.tflite.format,
    kernels: LITERT_KERNELS,
    codes: { usual: 'int8', bySuffix: {}, narrowSums: false },
    defaultThreads: 1,
    releases: 'TensorFlow Lite',
    opsetObstacle: () => undefined,
    knownCosts: null,
    timesHere: 'slower-than-native',
  },
  openvino: {
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
  },
}

/** The row, as the rest of the planner may see it. */
export function targetOf(name: TargetName): Target {
  return TARGETS[name]
}

/** What a file is run in where no device is spoken of: samples, answers, times of this machine. */
export function referenceTarget(format: ModelFormat): PackagedRuntime {
  return runtimeOfFiles(format)
}
