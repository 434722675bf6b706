import { invariant } from '../../../shared/errors.ts'
import type { Report } from '../../../shared/messages/index.ts'
import type { Window } from '../../../shared/windows/index.ts'
import type { SlotLinks } from '../../artifacts/index.ts'
import type { Installable } from '../../trust/index.ts'
import type { Installation } from '../journal/records.ts'
import { healthReport, installReport, type Refusal } from '../reports.ts'
import {
  INSTALLING,
  type InstallEvent,
  type InstallStep,
  REPORTED_STATE,
  RESTARTS_ALLOWED,
} from '../transitions/install-table.ts'
import { nextState } from '../transitions/transitions.ts'

export const SUPERSEDED: Refusal = {
  code: 'superseded',
  message: 'a newer assignment of this model took its place',
}

/** @param windows hours in which it may switch; none: at once */
export function newInstallation(
  order: string,
  assignment: Installable,
  windows: readonly Window[] = [],
): Installation {
  const started = { step: 'accepted', restarts: 0, before: null, error: null } as const
  return { order, assignment, ...started, ...(windows.length > 0 && { windows: [...windows] }) }
}

export function loopedIn(step: InstallStep): Refusal {
  const deaths = RESTARTS_ALLOWED[step] + 1
  return {
    code: 'restart-loop',
    message: `the agent died ${deaths} times in a row while ${step}; the variant is given up`,
  }
}

/** What is known of the device at the moment of a transition. */
export interface Moment {
  readonly links: SlotLinks
  readonly now: Date
}

export interface Advance {
  readonly job: Installation
  /** What the fleet is told; the last one answers the order when the step is an end. */
  readonly reports: readonly Report[]
}

/** One transition, on paper: nothing is written and nothing is done. */
export function advance(
  job: Installation,
  event: InstallEvent,
  error: Refusal | null,
  moment: Moment,
): Advance {
  const step = nextState(INSTALLING, job.step, event)
  invariant(step !== undefined, `an installation in ${job.step} knows the event ${event}`)
  const next: Installation = {
    ...job,
    step,
    restarts: 0,
    // The way back is written down before the links move.
    before: step === 'switching' ? moment.links : job.before,
    error: joined(job.error, error),
  }
  return { job: next, reports: reportsOf(next, moment) }
}

function reportsOf(job: Installation, { links, now }: Moment): Report[] {
  const { order, assignment, step, error } = job
  const told = REPORTED_STATE[step]
  if (told === null) return []
  const report = installReport(order, assignment, told, now, { error })
  if (step !== 'rolled-back') return [report]
  const { model, variant } = assignment
  const what = links.current === variant ? 'still runs, for want of another,' : 'went back from'
  const detail = `${what} ${variant.slice(0, 12)}: ${error?.message ?? 'no reason kept'}`
  return [healthReport(model, links.current, links.current !== null, detail, now), report]
}

/** The first failure is the reason; what failed while mending it is added. */
function joined(first: Refusal | null, then: Refusal | null): Refusal | null {
  if (!first || !then) return first ?? then
  return { code: first.code, message: `${first.message}; then: ${then.message}`.slice(0, 1024) }
}
