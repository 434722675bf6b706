import { AppError } from '../../shared/errors.ts'

export const ROLLOUT_STATES = [
  'running',
  'awaiting-approval',
  'paused',
  'done',
  'aborted',
  'superseded',
] as const
export type RolloutState = (typeof ROLLOUT_STATES)[number]

export const ROLLOUT_EVENTS = [
  'wave-passed',
  'approval-needed',
  'all-settled',
  'gate-failed',
  'too-many-failures',
  'health-broken',
  'pause',
  'resume',
  'approve',
  'abort',
  'supersede',
] as const
export type RolloutEvent = (typeof ROLLOUT_EVENTS)[number]
/** What moves a rollout by itself; superseded it is by the start of another. */
export type OwnRolloutEvent = Exclude<RolloutEvent, 'supersede'>

type Row = Record<RolloutEvent, RolloutState | null>

/**
 * The rollout of one variant to one class. null: the event has no meaning in that state, and an operator
 * who sends it is told so. `done` still hands the variant to devices that appear later.
 */
// biome-ignore format: a table is read by its columns
export const ROLLOUT_TABLE: Record<RolloutState, Row> = {
  'running':           { 'wave-passed': 'running', 'approval-needed': 'awaiting-approval', 'all-settled': 'done', 'gate-failed': 'paused', 'too-many-failures': 'aborted', 'health-broken': 'aborted', pause: 'paused', resume: null,      approve: null,      abort: 'aborted', supersede: 'superseded' },
  'awaiting-approval': { 'wave-passed': null,      'approval-needed': null,                'all-settled': null,   'gate-failed': null,     'too-many-failures': 'aborted', 'health-broken': 'aborted', pause: 'paused', resume: null,      approve: 'running', abort: 'aborted', supersede: 'superseded' },
  'paused':            { 'wave-passed': null,      'approval-needed': null,                'all-settled': null,   'gate-failed': null,     'too-many-failures': 'aborted', 'health-broken': 'aborted', pause: null,     resume: 'running', approve: null,      abort: 'aborted', supersede: 'superseded' },
  'done':              { 'wave-passed': null,      'approval-needed': null,                'all-settled': null,   'gate-failed': null,     'too-many-failures': 'aborted', 'health-broken': null,    pause: 'paused', resume: null,      approve: null,      abort: 'aborted', supersede: 'superseded' },
  'aborted':           { 'wave-passed': null,      'approval-needed': null,                'all-settled': null,   'gate-failed': null,     'too-many-failures': null,      'health-broken': null,    pause: null,     resume: null,      approve: null,      abort: null,      supersede: 'superseded' },
  'superseded':        { 'wave-passed': null,      'approval-needed': null,                'all-settled': null,   'gate-failed': null,     'too-many-failures': null,      'health-broken': null,    pause: null,     resume: null,      approve: null,      abort: null,      supersede: null },
}

/** States in which devices may be given the variant. */
export const SERVING: readonly RolloutState[] = ['running', 'done']

/** States that a newer rollout of the same class replaces. */
export const OPEN_STATES: readonly RolloutState[] = [
  'running',
  'awaiting-approval',
  'paused',
  'done',
]

export class RolloutError extends AppError {
  readonly code = 'rollout-refused'
}

export function isPossible(state: RolloutState, event: RolloutEvent): boolean {
  return ROLLOUT_TABLE[state][event] !== null
}

/** @throws RolloutError naming what is possible instead. */
export function nextState(state: RolloutState, event: RolloutEvent, what: string): RolloutState {
  const next = ROLLOUT_TABLE[state][event]
  if (next !== null) return next
  const operator: readonly RolloutEvent[] = ['pause', 'resume', 'approve', 'abort']
  const possible = operator.filter((e) => ROLLOUT_TABLE[state][e] !== null)
  const instead =
    possible.length > 0 ? `possible: ${possible.join(', ')}` : 'nothing more can be done with it'
  throw new RolloutError(`rollout of ${what} is ${state}: cannot ${event}; ${instead}`, {
    state,
    event,
  })
}
