import type { Shipment } from '../../shared/trust/index.ts'
import type { BlockSource } from '../artifacts/index.ts'
import type { Shipped } from '../trust/index.ts'

/** How far an installation got. */
export type Outcome =
  | { readonly state: 'unknown' | 'open' }
  | { readonly state: 'active' | 'failed'; readonly detail: string }

/** The device's side: who judges, fetches and installs what a deployment brings. */
export interface Recipient {
  /** @throws TrustError, OrderRefused, ArtifactError: then nothing of it is to be installed */
  believe(shipment: Shipment): Promise<readonly Shipped[]>
  /** All files of it, verified and on this disk when it resolves; kept until `accept`, or the call that is answered. */
  fetch(shipped: Shipped, source: BlockSource, signal: AbortSignal): Promise<() => void>
  /** Durable when it returns. */
  accept(order: string, shipped: Shipped): void
  /** What came of it under this order. */
  outcome(order: string, shipped: Shipped): Promise<Outcome>
}
