import type { Tensor } from '../../tensors.ts'
import type { RuntimeErrorCode } from '../errors.ts'
import type { SessionDetails, TensorInfo } from '../runtime.ts'
import type { EngineOptions } from './engine.ts'

/** Handed to the thread at its start. */
export interface WorkerTask {
  readonly model: Uint8Array
  readonly options: EngineOptions
}

export interface RunRequest {
  readonly inputs: Readonly<Record<string, Tensor>>
}

/** First `loaded` or `failed`, then one answer per request, in order. */
export type WorkerReply =
  | {
      readonly kind: 'loaded'
      readonly inputs: readonly TensorInfo[]
      readonly outputs: readonly TensorInfo[]
      readonly details: SessionDetails
    }
  | { readonly kind: 'ran'; readonly outputs: Readonly<Record<string, Tensor>> }
  | { readonly kind: 'failed'; readonly code: RuntimeErrorCode; readonly message: string }
