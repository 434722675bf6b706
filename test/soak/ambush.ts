import type { CommitName as AgentCommit } from '../../agent/daemon/journal/commit-names.ts'
import type { Installation } from '../../agent/daemon/journal/records.ts'
import {
  INSTALLING,
  type InstallStep,
  RESTARTS_ALLOWED,
} from '../../agent/daemon/transitions/install-table.ts'
import { PROBING, type ProbeStep } from '../../agent/daemon/transitions/probe-table.ts'
import { isTerminal, nextState } from '../../agent/daemon/transitions/transitions.ts'
import type { CommitName as PlannerCommit } from '../../planner/conductor/context/commit-names.ts'
import { momentsOf } from '../../shared/fail-points.ts'
import { below, pick, type Random } from '../planner/formats/tflite/random.ts'

/** What a dead device's disk says of its next life. */
export interface Outlook {
  readonly job: Installation | undefined
  readonly probes: readonly ProbeStep[]
  readonly hasQueued: boolean
  /** Its active slot was spoiled. */
  readonly isSpoiled: boolean
  /** No other variant lies there: the next one comes over the wire. */
  readonly isAlone: boolean
  /** Reports without a receipt. */
  readonly unconfirmed: number
  readonly journalBytes: number
}

/** From about here on the journal is written anew before long. */
const REWRITE_SOON_BYTES = 56 * 1024

interface Row {
  readonly points: (outlook: Outlook) => readonly string[]
  readonly when?: (outlook: Outlook) => boolean
}

const at = (...names: readonly AgentCommit[]): Row['points'] => {
  const points = momentsOf(names)
  return () => points
}

/** Where the next life will pass, or may well. What the stream of rollouts never makes has no row. */
const AGENT: readonly Row[] = [
  { points: at('run.started', 'run.ended', 'report.settled') },
  { points: at('slot.lost'), when: ({ isSpoiled }) => isSpoiled },
  { points: ({ job }) => momentsOf(stepsAhead(job).map((step) => `install.${step}` as const)) },
  { points: () => ['slot.previous.pointed', 'slot.current.pointed'], when: mayPass('switching') },
  {
    points: () => ['slot.drafted', 'slot.placed'],
    when: (outlook) => outlook.isAlone && mayPass('installing')(outlook),
  },
  { points: at('install.restarted', 'order.repeated'), when: ({ job }) => isOpen(job) },
  { points: ({ probes }) => momentsOf(probes.flatMap(probeAhead).map((step) => `probe.${step}`)) },
  { points: at('probe.restarted'), when: ({ probes }) => probes.some(isUnderWay) },
  { points: at('order.repeated'), when: ({ unconfirmed }) => unconfirmed > 0 },
  { points: at('install.queued'), when: ({ job }) => job !== undefined && isPastReturn(job) },
  { points: at('install.dequeued', 'install.superseded'), when: ({ hasQueued }) => hasQueued },
  {
    points: () => ['journal.rewrite.before', 'journal.rewrite.after'],
    when: ({ journalBytes }) => journalBytes > REWRITE_SOON_BYTES,
  },
]

const PLANNER: readonly PlannerCommit[] = [
  'model.added',
  'candidates.planned',
  'probe.ordered',
  'selection.made',
  'birth.stored',
  'death.stored',
  'report.stored',
  'report.handled',
  'rollout.asked',
  'rollout.started',
  'rollout.all-settled',
  'rollout.abort',
  'assignment.given',
  'device.released',
]

/** Deaths in one step, one after another, until the loop is noticed. */
const LOOPS: readonly string[] = [
  'install.installing.before',
  'install.testing.before',
  'install.watching.before',
  'install.active.before',
]

export function agentAmbush(random: Random, outlook: Outlook, deaths: Deaths): string {
  const points = AGENT.filter(({ when }) => when?.(outlook) ?? true).flatMap((row) =>
    row.points(outlook),
  )
  const point = rarer(random, points, deaths)
  return nthPass(random, point)
}

export function plannerAmbush(random: Random, deaths: Deaths): string {
  return nthPass(random, rarer(random, momentsOf(PLANNER), deaths))
}

export function loopAmbush(random: Random): string {
  return pick(random, LOOPS)
}

/** Deaths so far at a place. */
export type Deaths = (point: string) => number

/** Of two drawn the one where fewer died: so that rare places get their share. */
function rarer(random: Random, points: readonly string[], deaths: Deaths): string {
  const [one, other] = [pick(random, points), pick(random, points)]
  return deaths(other) < deaths(one) ? other : one
}

/** Reports and births come many to a life: not always the first. */
function nthPass(random: Random, point: string): string {
  return /^(report|birth|death)\./.test(point) ? `${point}#${1 + below(random, 3)}` : point
}

function isOpen(job: Installation | undefined): boolean {
  return job !== undefined && !isTerminal(INSTALLING, job.step)
}

/** A newer assignment waits for the end of this step. */
function isPastReturn({ step }: Installation): boolean {
  return !isTerminal(INSTALLING, step) && nextState(INSTALLING, step, 'superseded') === undefined
}

/** Steps that are entered from here on, if all goes well; after one death too many the way out. */
function stepsAhead(job: Installation | undefined): InstallStep[] {
  if (job === undefined || !isOpen(job)) return ['accepted', ...way('accepted')]
  const looped = nextState(INSTALLING, job.step, 'looped')
  const isLooping = looped !== undefined && job.restarts >= RESTARTS_ALLOWED[job.step]
  return isLooping ? [looped, ...way(looped)] : way(job.step)
}

function way(from: InstallStep): InstallStep[] {
  const next = nextState(INSTALLING, from, 'done')
  return next === undefined ? [] : [next, ...way(next)]
}

function isUnderWay(step: ProbeStep): boolean {
  return !isTerminal(PROBING, step)
}

function probeAhead(step: ProbeStep): ProbeStep[] {
  const next = nextState(PROBING, step, 'done')
  return next === undefined ? [] : [next, ...probeAhead(next)]
}

function mayPass(step: InstallStep): (outlook: Outlook) => boolean {
  return ({ job }) => job?.step === step || stepsAhead(job).includes(step)
}
