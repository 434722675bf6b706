import type { RuntimeName } from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { TensorId } from '../../formats/graph.ts'
import type { TensorStatistics } from './statistics.ts'

/** What the thread is started with. */
export interface ObservationTask {
  readonly runtime: RuntimeName
  /** A model whose outputs are the activations to observe. */
  readonly model: Uint8Array
  readonly observed: readonly Observed[]
}

/** One output of the model, in the model's order. */
export interface Observed {
  readonly tensor: TensorId
  /** Length of the last dimension where its means are wanted, else 0. */
  readonly channels: number
}

/** Inputs of one run, in the model's order. */
export type SampleInputs = readonly Tensor[]

export type ToWorker =
  | { readonly kind: 'samples'; readonly samples: readonly SampleInputs[] }
  | { readonly kind: 'finish' }

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'seen'; readonly samples: number }
  | { readonly kind: 'statistics'; readonly statistics: readonly TensorStatistics[] }
  | { readonly kind: 'failed'; readonly message: string }
