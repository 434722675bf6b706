import type { Transitions } from './transitions.ts'

/** Written to the journal: a stable vocabulary. */
export const PROBE_STEPS = [
  'accepted',
  'downloading',
  'measuring',
  'measured',
  'failed',
  'cancelled',
] as const
export type ProbeStep = (typeof PROBE_STEPS)[number]

/** cancelled: the planner needs it no more. looped: the agent died in this step again and again. */
export type ProbeEvent = 'done' | 'failed' | 'cancelled' | 'looped'

// biome-ignore format: a table is read by its columns
export const PROBING: Transitions<ProbeStep, ProbeEvent> = {
  accepted:    { done: 'downloading',                   cancelled: 'cancelled', looped: 'failed' }, // Cannot fail: it only waits for its turn.
  downloading: { done: 'measuring',   failed: 'failed', cancelled: 'cancelled', looped: 'failed' },
  measuring:   { done: 'measured',    failed: 'failed', cancelled: 'cancelled', looped: 'failed' },
  measured:    {},
  failed:      {},
  cancelled:   {},
}

/** A variant that takes the whole device down twice is not measured a third time. */
export const PROBE_RESTARTS_ALLOWED: Readonly<Record<ProbeStep, number>> = {
  accepted: 100,
  downloading: 100,
  measuring: 1,
  measured: 0,
  failed: 0,
  cancelled: 0,
}
