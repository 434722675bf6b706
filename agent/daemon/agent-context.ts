import type { ProbeRecord } from '../../shared/measure/index.ts'
import type { ProbeOrder, Report } from '../../shared/messages/index.ts'
import type { EngineChoice } from '../../shared/runtime/index.ts'
import type { ArtifactStore, FileSystems, Slots } from '../artifacts/index.ts'
import type { Engines } from '../engines/index.ts'
import type { Log } from '../link/index.ts'
import type { DeviceTrust } from '../trust/index.ts'
import type { Clock } from './clock.ts'
import type { HealthSettings } from './health/health.ts'
import type { HealthMessages } from './health/health-messages.ts'
import type { ModelEnds } from './install/self-test.ts'
import type { SelfTestJob } from './install/self-test-protocol.ts'
import type { Ledger } from './journal/ledger.ts'
import type { MetadataPatience } from './orders/metadata-patience.ts'
import type { MeasurementLock } from './probes/measurement-lock.ts'
import type { SwitchNotices } from './sockets/switch-notices.ts'

/** What the daemon's parts share: one of each per agent. */
export interface AgentContext {
  readonly stateDir: string
  readonly ledger: Ledger
  readonly trust: DeviceTrust
  readonly engines: Engines
  readonly patience: MetadataPatience
  readonly slots: Slots
  readonly store: ArtifactStore
  readonly fileSystems: FileSystems
  readonly measurementLock: MeasurementLock
  readonly modelRunner: ModelRunner
  readonly health: HealthSettings
  readonly messages: HealthMessages
  readonly notices: SwitchNotices
  readonly clock: Clock
  /** Where the device stands, by its name in the IANA database. */
  timeZone(): string
  readonly log: Log
  /** Best effort, not kept: progress that the next one overtakes. */
  tell(report: Report): void
  /** Packages of runtimes came or went: what is said at birth is no longer so. */
  packagesChanged(): void
  /** Aborted when the agent leaves. */
  readonly leaving: AbortSignal
}

/** Files of a probe order, all verified. */
export interface ProbeFiles {
  readonly variant: string
  readonly data: string
  readonly baseline: string | null
  /** Of the others, as the order names them. */
  readonly others: readonly string[]
}

/** What the files are run in. */
export interface ProbeEngines {
  readonly variant: EngineChoice
  readonly baseline: EngineChoice | null
  readonly others: readonly EngineChoice[]
}

/** What came of one variant that was measured among others. */
export type ProbeOutcome =
  | { readonly record: ProbeRecord }
  | { readonly error: { readonly code: string; readonly message: string } }

/** Runs models, each in a child process of its own; one at a time is the caller's business. */
export interface ModelRunner {
  /** Most threads that a measurement may use; null: as many as the order says. */
  readonly mostThreads: number | null
  /** @throws AppError that says why the variant is not fit */
  selfTest(job: SelfTestJob, signal: AbortSignal): Promise<void>
  /** Null where the model does not load. */
  look(job: Pick<SelfTestJob, 'file' | 'engine'>, signal: AbortSignal): Promise<ModelEnds | null>
  /** As long as the order waits for it: resolves when this device is at rest, or is not. */
  atRest(order: Pick<ProbeOrder, 'quietMs'>, signal: AbortSignal): Promise<void>
  /** @throws AppError that says why nothing was measured */
  probe(
    order: ProbeOrder,
    files: ProbeFiles,
    engines: ProbeEngines,
    signal: AbortSignal,
  ): Promise<ProbeRecord>
  /** The order's variant, then its others: all in turns. @throws AppError `cancelled` */
  probeAll(
    order: ProbeOrder,
    files: ProbeFiles,
    engines: ProbeEngines,
    signal: AbortSignal,
  ): Promise<readonly ProbeOutcome[]>
}
