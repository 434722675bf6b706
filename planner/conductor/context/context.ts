import { availableParallelism, totalmem } from 'node:os'
import type { Logger } from 'pino'
import type { FailPoints } from '../../../shared/fail-points.ts'
import type { Profile } from '../../classes/index.ts'
import type { CompilersHere } from '../../compilers/index.ts'
import type { Rule } from '../../health/index.ts'
import type { Prior } from '../../probing/index.ts'
import type { ArtifactStore, Db, Model, Variant } from '../../storage/index.ts'
import type { TrustAuthority } from '../../trust/index.ts'
import { DEFAULT_RETENTION, type Retention } from '../retention.ts'
import type { Agenda } from './agenda.ts'
import type { Jobs } from './jobs.ts'
import type { ProgressHub } from './progress.ts'

export interface ConductorSettings {
  /** Time a device spends measuring one variant, ms. */
  readonly measureMs: number
  /** Longest a probe may take on the device, ms. */
  readonly probeTimeoutMs: number
  /** A device that has not acknowledged a probe by then is taken as gone, ms. */
  readonly answerMs: number
  /** Slowest link a probe's download is waited for, bytes per second. */
  readonly slowestLink: number
  /** Probes under way at a time, over all devices: fewer than devices only where they share a machine. */
  readonly probesAtOnce: number
  /** Devices that measure what they were given, at a time; 0: none does. */
  readonly rechecksAtOnce: number
  /** Builds and evaluations on this host at a time. */
  readonly jobsAtOnce: number
  /** An assignment that is not carried out by then is given again. */
  readonly assignmentDays: number
  /** After a start nobody's session is known: so long devices get to say birth before they count as offline, ms. */
  readonly settleMs: number
  /** How often the conductor looks at clocks, ms; everything else wakes it at once. */
  readonly tickMs: number
  /** Most that captured samples of all devices take, bytes; 0: none are collected. */
  readonly samplesQuotaBytes: number
  /** So long they are kept, ms. */
  readonly samplesKeptMs: number
  /** How often it looks at everything, whether or not anything happened, ms. */
  readonly sweepMs: number
  /** How long, and how much, of what grows with time. */
  readonly retention: Retention
  /** How often classes in which something was measured are looked through for two speeds, ms. */
  readonly partsMs: number
}

/** Of memory, each piece of work shall find so much. */
const JOB_BYTES = 2 ** 30
const MOST_JOBS = 2

/** One thread in two of a quantizer waits for the others: two builds at a time leave fewer processors idle, more would fight. */
function jobsFor(processors: number, memoryBytes: number): number {
  return Math.max(1, Math.min(MOST_JOBS, processors, Math.floor(memoryBytes / JOB_BYTES)))
}

export const DEFAULT_SETTINGS: ConductorSettings = {
  measureMs: 3_000,
  probeTimeoutMs: 120_000,
  answerMs: 60_000,
  slowestLink: 64 * 1024,
  probesAtOnce: Number.POSITIVE_INFINITY,
  rechecksAtOnce: 16,
  jobsAtOnce: jobsFor(availableParallelism(), totalmem()),
  assignmentDays: 7,
  settleMs: 15_000,
  tickMs: 1_000,
  samplesQuotaBytes: 2 ** 30,
  samplesKeptMs: 30 * 86_400_000,
  sweepMs: 600_000,
  partsMs: 30_000,
  retention: DEFAULT_RETENTION,
}

/** What other models measured, for the candidates of one. */
export interface Costs {
  prior(
    context: ConductorContext,
    model: Model,
    classId: string,
    candidates: readonly { readonly variant: Variant | undefined }[],
  ): Promise<Prior>
}

/** What every part of the conductor works with. */
export interface ConductorContext {
  readonly db: Db
  readonly artifacts: ArtifactStore
  readonly profiles: readonly Profile[]
  readonly trust: TrustAuthority
  /** Asked anew for each plan that needs one: what is installed meanwhile counts. */
  readonly findCompilers: () => Promise<CompilersHere>
  readonly settings: ConductorSettings
  readonly jobs: Jobs
  /** What is to be looked at next. */
  readonly agenda: Agenda
  /** What was learnt from measurements of other models. */
  readonly costs: Costs
  readonly progress: ProgressHub
  readonly log: Logger
  /** Where a test may cut the power. */
  readonly failPoints: FailPoints
  /** Of whoever does what only one planner may do at a time: throws inside a transaction where that is another by now. */
  readonly fence?: (trx: Db) => Promise<void>
  /** What raises alarms; read anew when the operator's file has changed. */
  readonly alarmRules: () => Promise<readonly Rule[]>
  readonly now: () => Date
  /** Of several planners on one database, the one that does what only one may do. */
  readonly leads: () => boolean
  readonly startedAt: Date
  /** Folder for half-done work; emptied at start. */
  readonly workDir: string
  /** Aborted when the planner leaves: half-done work is given up and begins again at the next start. */
  readonly stopping: AbortSignal
  /** Between the pages of long work: applies what devices reported since, so that nobody waits for the last page. */
  readonly meanwhile: () => Promise<void>
  /** Orders were put into the outbox of this device. */
  readonly nudge: (device: string) => void
}

/** Just started: who seems offline may only not have been heard yet. */
export function isSettlingIn({ startedAt, now, settings }: ConductorContext): boolean {
  const sinceMs = now().getTime() - startedAt.getTime()
  // Less than none has passed where the clock was set back.
  return sinceMs >= 0 && sinceMs < settings.settleMs
}
