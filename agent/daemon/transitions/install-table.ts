import type { InstallState } from '../../../shared/messages/index.ts'
import type { Transitions } from './transitions.ts'

/** Names of states are written to the journal: a stable vocabulary. Rename none, reuse none. */
export const INSTALL_STEPS = [
  'accepted',
  'downloading',
  'verifying',
  'installing',
  'waiting',
  'switching',
  'testing',
  'watching',
  'rolling-back',
  'active',
  'rolled-back',
  'failed',
  'superseded',
] as const
export type InstallStep = (typeof INSTALL_STEPS)[number]

/**
 * done: the step's work succeeded. failed: it did not. superseded: a newer assignment of the model was
 * accepted. looped: the agent died in this step again and again.
 */
export type InstallEvent = 'done' | 'failed' | 'superseded' | 'looped'

/**
 * The life of an installation. After a restart the present step is done again: every step may be
 * repeated. Up to `waiting` the links are untouched, so failing is just stopping; from `switching` on,
 * the way out of trouble is back.
 */
// biome-ignore format: a table is read by its columns
export const INSTALLING: Transitions<InstallStep, InstallEvent> = {
  accepted:       { done: 'downloading',                           superseded: 'superseded', looped: 'failed'       }, // Cannot fail: it only says so.
  downloading:    { done: 'verifying',   failed: 'failed',         superseded: 'superseded', looped: 'failed'       },
  verifying:      { done: 'installing',  failed: 'failed',         superseded: 'superseded', looped: 'failed'       },
  installing:     { done: 'waiting',     failed: 'failed',         superseded: 'superseded', looped: 'failed'       },
  waiting:        { done: 'switching',   failed: 'failed',         superseded: 'superseded', looped: 'failed'       },
  switching:      { done: 'testing',     failed: 'rolling-back',                             looped: 'rolling-back' }, // The newer one waits: links are moved one at a time.
  testing:        { done: 'watching',    failed: 'rolling-back',                             looped: 'rolling-back' }, // The newer one waits: an untested variant is no variant to go back to.
  watching:       { done: 'active',      failed: 'rolling-back',                             looped: 'rolling-back' }, // Likewise one that applications do not get on with.
  'rolling-back': { done: 'rolled-back', failed: 'failed'                                                           }, // Not given up for looping: an agent that dies here has nothing better to do.
  active:         {},
  'rolled-back':  {},
  failed:         {},
  superseded:     {},
}

/** Deaths of the agent in one step before it counts as a loop. Steps that last survive more of them. */
export const RESTARTS_ALLOWED: Readonly<Record<InstallStep, number>> = {
  accepted: 5,
  downloading: 100,
  verifying: 5,
  installing: 5,
  waiting: 100,
  switching: 5,
  testing: 3,
  watching: 3,
  'rolling-back': Number.POSITIVE_INFINITY,
  active: 0,
  'rolled-back': 0,
  failed: 0,
  superseded: 0,
}

/** What the fleet is told on entering a step; `null`: nothing, the agent's table is finer. */
export const REPORTED_STATE: Readonly<Record<InstallStep, InstallState | null>> = {
  accepted: 'accepted',
  downloading: 'downloading',
  verifying: null,
  installing: 'verified',
  waiting: 'installed',
  switching: null,
  testing: null,
  watching: null,
  'rolling-back': null,
  active: 'active',
  'rolled-back': 'rolled-back',
  failed: 'failed',
  superseded: 'failed',
}
