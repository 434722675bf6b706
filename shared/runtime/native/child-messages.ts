import type { Tensor } from '../../tensors.ts'
import type { RuntimeErrorCode } from '../errors.ts'
import type { LibraryFacts, LoadOptions, RuntimeName, Session } from '../runtime.ts'

/** To the child, in this order: what to open, then models to load and inputs to run. */
export type ChildRequest =
  | { readonly kind: 'open'; readonly runtime: RuntimeName; readonly library: string }
  | { readonly kind: 'load'; readonly model: Uint8Array; readonly options: LoadOptions }
  | { readonly kind: 'run'; readonly inputs: Readonly<Record<string, Tensor>> }

/** One answer for each request. */
export type ChildReply =
  | { readonly kind: 'opened'; readonly version: string; readonly library: LibraryFacts }
  | ({ readonly kind: 'loaded' } & Pick<Session, 'inputs' | 'outputs' | 'details' | 'delegation'>)
  | { readonly kind: 'ran'; readonly outputs: Readonly<Record<string, Tensor>> }
  | {
      readonly kind: 'failed'
      readonly code: RuntimeErrorCode
      readonly message: string
      readonly details: Readonly<Record<string, unknown>>
    }
