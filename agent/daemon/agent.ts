import type { BackoffOptions } from '../../shared/backoff.ts'
import type { Digest } from '../../shared/digest.ts'
import type { FailPoints } from '../../shared/fail-points.ts'
import type { Labels } from '../../shared/labels.ts'
import type { HardwareReport, HostFigures, ProposedEngine } from '../../shared/messages/index.ts'
import type { DdiSettings } from '../ddi/index.ts'
import type { EngineSettings } from '../engines/index.ts'
import type { Endpoint, Log } from '../link/index.ts'
import type { ModelRunner } from './agent-context.ts'
import type { Clock } from './clock.ts'
import type { HealthSettings } from './health/health.ts'
import type { MetadataPatience } from './orders/metadata-patience.ts'
import type { CheckSettings } from './self-check/self-check.ts'
import type { AgentStatus } from './sockets/status.ts'

export interface CaptureSettings {
  /** Most that they may take, bytes. */
  readonly bytes: number
  /** They stay on this device, whoever asks for them. */
  readonly isLocal: boolean
}

export interface AgentOptions {
  readonly endpoint: Endpoint
  readonly fleet: string
  readonly device: string
  readonly stateDir: string
  /** Digest of the trust anchor. */
  readonly trust: Digest
  /** The only class of devices this one takes variants for; `null`: what the director says, within what was released. */
  readonly class: string | null
  /** Groups that its settings say it is of; default: none. */
  readonly labels?: Labels
  /** Bytes for all that lies under `stateDir`; `null`: what the file system has. */
  readonly storageLimitBytes: number | null
  /** Most memory a model may use while it runs; `null`: the machine's. */
  readonly memoryLimitBytes: number | null
  /** Bytes of downloads kept for later beyond those in slots. */
  readonly cacheLimitBytes: number
  /** How long metadata is waited for; default: METADATA_PATIENCE. */
  readonly patience?: MetadataPatience
  /** Takes libraries of runtimes from the planner; default: it does not. */
  readonly acceptsRuntimes?: boolean
  /** Fetches from where the planner says that a copy of its artifacts lies; default: it may. */
  readonly pulls?: boolean
  /** Blocks in flight. */
  readonly window: number
  readonly version: string
  readonly backoff: BackoffOptions
  readonly clock: Clock
  /** Where it stands, by its IANA name; default: as the system says. */
  readonly timeZone?: () => string
  readonly failPoints: FailPoints
  readonly log: Log
  readonly modelRunner: ModelRunner
  /** What this device is told of its runtimes, read anew with every look. */
  engineSettings(): Promise<EngineSettings>
  /** What lies in well-known places of such a board, to be proposed to whoever runs this device. */
  findNative(report: HardwareReport): Promise<readonly ProposedEngine[]>
  readonly health: HealthSettings
  /** How often what applications observe is told, ms; default: an hour. */
  readonly observeMs?: number
  /** Inferences that may be kept on this device for labelling; default: none are. */
  readonly capture?: CaptureSettings
  /** When it runs models by itself, to see whether they still answer as they did; default: weekly. */
  readonly check?: CheckSettings
  /** Another updater that brings variants too: hawkBit's DDI; default: none. */
  readonly hawkbit?: DdiSettings
  /** How this device is now; default: nothing is known of it. */
  readHost?(): Promise<Omit<HostFigures, 'restarts'>>
  /** What this device is, read anew for every birth. */
  readHardware(): Promise<HardwareReport>
}

export interface Agent {
  status(): Promise<AgentStatus>
  /** Resolves when nothing is left to do but wait for orders. */
  idle(): Promise<void>
  /** Says death, stops downloads where they are, and leaves the state directory in order. */
  close(): Promise<void>
}
