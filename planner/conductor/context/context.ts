import type { Logger } from 'pino'
import type { FailPoints } from '../../../shared/fail-points.ts'
import type { Profile } from '../../classes/index.ts'
import type { CompilersHere } from '../../compilers/index.ts'
import type { ArtifactStore, Db } from '../../storage/index.ts'
import type { TrustAuthority } from '../../trust/index.ts'
import type { JobQueue } from './job-queue.ts'
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
  /** An assignment that is not carried out by then is given again. */
  readonly assignmentDays: number
  /** After a start nobody's session is known: so long devices get to say birth before they count as offline, ms. */
  readonly settleMs: number
  /** How often the conductor looks at clocks, ms; everything else wakes it at once. */
  readonly tickMs: number
}

export const DEFAULT_SETTINGS: ConductorSettings = {
  measureMs: 3_000,
  probeTimeoutMs: 120_000,
  answerMs: 60_000,
  slowestLink: 64 * 1024,
  probesAtOnce: Number.POSITIVE_INFINITY,
  assignmentDays: 7,
  settleMs: 15_000,
  tickMs: 1_000,
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
  readonly jobs: JobQueue
  readonly progress: ProgressHub
  readonly log: Logger
  /** Where a test may cut the power. */
  readonly failPoints: FailPoints
  readonly now: () => Date
  readonly startedAt: Date
  /** Folder for half-done work; emptied at start. */
  readonly workDir: string
  /** Aborted when the planner leaves: half-done work is given up and begins again at the next start. */
  readonly stopping: AbortSignal
  /** Orders were put into the outbox of this device. */
  readonly nudge: (device: string) => void
}

/** Just started: who seems offline may only not have been heard yet. */
export function isSettlingIn({ startedAt, now, settings }: ConductorContext): boolean {
  const sinceMs = now().getTime() - startedAt.getTime()
  // Less than none has passed where the clock was set back.
  return sinceMs >= 0 && sinceMs < settings.settleMs
}
