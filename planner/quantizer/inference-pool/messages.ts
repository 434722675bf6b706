import type {
  EngineChoice,
  ModelFormat,
  OnnxruntimeLoadOptions,
  TensorInfo,
} from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { ObserverPlan } from '../../graph/index.ts'
import type { TensorStatistics } from '../observers/statistics.ts'

/** What the thread is started with. */
export interface PoolTask {
  readonly format: ModelFormat
  /** Where it is not what comes with this program. */
  readonly engine?: EngineChoice
}

/** Inputs of one run, in the model's order. */
export type SampleInputs = readonly Tensor[]

/** Real numbers of every output. */
export type Answer = readonly Float32Array[]

/** Of the runtimes that can. */
export type LoadWishes = Pick<
  OnnxruntimeLoadOptions,
  'constantsFolder' | 'optimizedModelPath' | 'signedActivations' | 'wideSums'
>

/** Of a loaded model, in its order. */
export interface Ends {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
}

/** Each message gets one reply, in order. */
export type ToPool =
  /** Takes the place of the model before; `observed` describes its outputs in their order, from the first. */
  | {
      readonly kind: 'load'
      readonly model: Uint8Array
      readonly observed: readonly ObserverPlan[]
      readonly wishes: LoadWishes
    }
  /** The place of the first sample among all. */
  | { readonly kind: 'run'; readonly samples: readonly SampleInputs[]; readonly first: number }
  | { readonly kind: 'answer'; readonly samples: readonly SampleInputs[] }
  | { readonly kind: 'shapes'; readonly sample: SampleInputs }
  | { readonly kind: 'report' }

/** What observers saw; not sharp where a summary hides what is no number, and all must be seen. */
export interface ObserverReport {
  readonly statistics: readonly TensorStatistics[]
  readonly sharp: boolean
}

export type FromPool =
  | ({ readonly kind: 'loaded' } & Ends)
  /** The samples come back, for their memory. */
  | { readonly kind: 'ran'; readonly samples: readonly SampleInputs[] }
  | { readonly kind: 'answered'; readonly answers: readonly Answer[] }
  /** Of every output of one run. */
  | { readonly kind: 'shaped'; readonly shapes: readonly (readonly number[])[] }
  | ({ readonly kind: 'reported' } & ObserverReport)
  | { readonly kind: 'failed'; readonly message: string }

/** What travels without being copied. */
export function buffersOf(samples: readonly SampleInputs[]): ArrayBuffer[] {
  return samples.flat().map((tensor) => tensor.data.buffer as ArrayBuffer)
}

/** Samples to run, made one at a time when their turn comes. */
export interface SampleSource {
  readonly count: number
  /** @param into inputs that nobody needs any more, whose memory may be taken */
  at(sample: number, into?: SampleInputs): SampleInputs
}
