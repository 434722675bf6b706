import type { ModelFormat, PackagedRuntime, RuntimeName } from '../../shared/runtime/index.ts'
import type { SchemeSuffix } from '../../shared/schemes.ts'
import type { ActivationType, Graph } from '../graph/index.ts'
import type { Accelerator } from './accelerators/accelerator.ts'
import type { KernelCosts } from './kernel-costs.ts'
import type { KernelTable } from './kernel-facts.ts'

/** What a file can be made for: everything that planning knows of a runtime and what computes for it, as one row. */
export interface Target {
  readonly runtime: RuntimeName
  /**
   * What runs such files on this host, for answers and samples: native libraries are the devices'. Of targets that take
   * compiled files, which no packaged runtime loads, it runs what they are compiled from.
   */
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
  /** Whose files of the same scheme are its files to the byte, before any compiler: one build serves both. */
  readonly filesOf?: RuntimeName
  /** What computes the operators that it takes; absent where the runtime's own kernels compute all. */
  readonly accelerator?: Accelerator
}
