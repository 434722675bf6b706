import type { BackoffOptions } from '../../shared/backoff.ts'

export const RECONNECT_BACKOFF: BackoffOptions = {
  baseMs: 1_000,
  capMs: 60_000,
  random: Math.random,
}
