import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Milliseconds that only grow: for every pause and deadline. */
  monotonic(): number
  /** What the wall says, for timestamps and expiry only: it may jump. */
  now(): Date
}

export const SYSTEM_CLOCK: Clock = {
  monotonic: () => performance.now(),
  now: () => new Date(),
}
