import { join } from 'node:path'
import type { Logger } from 'pino'
import { requirePlausible } from '../../../shared/clock/index.ts'
import type { Family } from '../../../shared/exposition/index.ts'
import { type FailPoints, failPointsFrom } from '../../../shared/fail-points.ts'
import { anchorDigest, printTrustPin } from '../../../shared/trust/index.ts'
import { VERSION } from '../../../shared/version.ts'
import {
  type ApiOptions,
  type OperatorListener,
  type PlannerInfo,
  socketPath,
  startApi,
} from '../../api/index.ts'
import { takeUpRestored } from '../../backup/index.ts'
import { loadProfilesWith, type Profile } from '../../classes/index.ts'
import { ALONE, type Cluster, joinCluster } from '../../cluster/index.ts'
import {
  Conductor,
  type ConductorSettings,
  failPointNames,
  keepClock,
} from '../../conductor/index.ts'
import { consolePages } from '../../console/index.ts'
import { type FleetConnection, type FleetLimits, startFleet } from '../../fleet/index.ts'
import {
  DEVICE_CERTIFICATE_DAYS,
  openPlannerIdentity,
  type PlannerIdentity,
} from '../../identity/index.ts'
import { sparkplugOf, startSparkplug } from '../../sparkplug/index.ts'
import {
  ARTIFACTS_CACHE_BYTES,
  type Database,
  type Db,
  openArtifacts,
  openDatabase,
  startingAlone,
} from '../../storage/index.ts'
import { collectorOf, startTraces } from '../../traces/index.ts'
import { openTrust, type TrustAuthority } from '../../trust/index.ts'

export interface PlannerOptions {
  readonly data: string
  /** `postgres://…`; absent: the embedded database in the data directory. */
  readonly database: string | undefined
  /** Where other planners may work on the same PostgreSQL: the folder of artifacts, keys and authority that all of them see. */
  readonly shared?: string
  readonly fleet: string
  /** Folder with the operator's own firmware profiles. */
  readonly profiles: string | undefined
  readonly settings: Partial<ConductorSettings>
  /** Of what devices may take of the planner. */
  readonly limits?: Partial<FleetLimits>
  readonly log: Logger
  /** Names and addresses this machine is reached under, for its certificate. */
  readonly names?: readonly string[]
  /** Where the artifacts lie, and most that copies of them here take; absent: files beside the keys. */
  readonly artifacts?: string | undefined
  readonly artifactsCache?: number
  /** Where devices find a copy of the artifacts behind HTTPS; absent: nowhere. */
  readonly artifactsUrl?: string | undefined
  /** Life of a device's certificate; default 30. */
  readonly certificateDays?: number
  /** Of a broker elsewhere: where devices connect, and where they ask for a certificate before. */
  readonly outside?: { readonly broker: string; readonly joinBroker: string } | undefined
  /** Where operators elsewhere ask; absent: nowhere. */
  readonly listener?: OperatorListener
  /** Who may read metrics there. */
  readonly metricsFor?: ApiOptions['metricsFor']
  /** OpenTelemetry collector; FITMENT_TRACES where it is not given. */
  readonly traces?: string | undefined
  /** Sparkplug broker; FITMENT_SPARKPLUG where it is not given. */
  readonly sparkplug?: string | undefined
  /** `GROUP/NODE` there. */
  readonly sparkplugName?: string | undefined
  /** Opens the way to the broker; called once the database is this planner's alone. */
  connect(
    identity: PlannerIdentity,
    isMine: (device: string) => boolean,
  ): Promise<{
    connection: FleetConnection
    url: string
    /** Of a broker in this process. */
    figures?: () => readonly Family[]
    close(): Promise<void>
  }>
}

export interface RunningPlanner {
  readonly info: PlannerInfo
  readonly conductor: Conductor
  /** Where operators elsewhere ask. */
  readonly operatorUrl?: string
  /** Settles when the database is lost: the planner must end. */
  readonly lost: Promise<Error>
  close(): Promise<void>
}

/** Database, conductor, fleet and operator API, in the order in which each needs the one before. */
export async function startPlanner(options: PlannerOptions): Promise<RunningPlanner> {
  const { data, fleet, log } = options
  requirePlausible(new Date())
  const others = othersOf(options)
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const profiles = await loadProfilesWith(options.profiles)
    const database = await openDatabase({
      data,
      ...(options.database === undefined ? {} : { url: options.database }),
      ...(options.shared !== undefined && { sharing: 'together' }),
    })
    closers.push(() => database.close())
    const { trust, conductor, identity, cluster } = await startingAlone(database, () =>
      openParts(database, profiles, options),
    )
    closers.push(
      async () => identity.close(),
      () => cluster.close(),
    )
    const broker = await options.connect(identity, (device) => cluster.owns(device))
    closers.push(() => broker.close())
    const link = await startFleet({
      connection: broker.connection,
      fleet,
      store: conductor.store,
      owns: (device) => cluster.owns(device),
      samples: conductor.samples,
      ...(options.limits && { limits: options.limits }),
      artifactsUrl: options.artifactsUrl,
      log,
    })
    closers.push(() => link.close())
    closers.push(() => conductor.close())
    closers.push(await watchTime(identity, conductor, options))
    await conductor.start(link)
    const info: PlannerInfo = {
      version: VERSION,
      fleet,
      broker: broker.url,
      ...(options.outside && { joinBroker: options.outside.joinBroker }),
      database: database.place,
      trust: printTrustPin(anchorDigest(await trust.anchor())),
    }
    const { listener, metricsFor } = options
    const api = await startApi({
      conductor,
      info,
      socket: socketPath(data),
      identity,
      ...(listener && { listener }),
      pages: consolePages(),
      ...(metricsFor && { metricsFor }),
      ...(broker.figures && { moreMetrics: broker.figures }),
      log,
    })
    closers.push(() => api.close())
    closers.push(...tellOthers(conductor, options, others))
    const { operatorUrl } = api
    const lost = Promise.race([database.lost, cluster.lost])
    return { info, conductor, ...(operatorUrl && { operatorUrl }), lost, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Whoever else is told how things are, by the settings. @throws UsageError before anything is started */
function othersOf({ fleet, traces, sparkplug, sparkplugName }: PlannerOptions) {
  const { FITMENT_TRACES, FITMENT_SPARKPLUG, OTEL_EXPORTER_OTLP_HEADERS } = process.env
  const collector = traces ?? FITMENT_TRACES
  const broker = sparkplug ?? FITMENT_SPARKPLUG
  return {
    collector: collector ? collectorOf(collector, OTEL_EXPORTER_OTLP_HEADERS) : undefined,
    settings: broker ? sparkplugOf(broker, sparkplugName ?? fleet) : undefined,
  }
}

function tellOthers(
  { context }: Conductor,
  { fleet, log }: PlannerOptions,
  { collector, settings }: ReturnType<typeof othersOf>,
): (() => Promise<void>)[] {
  const told = [
    ...(collector ? [startTraces({ context, fleet, collector, log })] : []),
    ...(settings ? [startSparkplug({ context, fleet, settings, log })] : []),
  ]
  return told.map((one) => () => one.close())
}

interface Parts {
  readonly trust: TrustAuthority
  readonly identity: PlannerIdentity
  readonly conductor: Conductor
  readonly cluster: Cluster
}

/** What planners of one database have in common is made by the first of them. */
async function openParts(
  database: Database,
  profiles: readonly Profile[],
  options: PlannerOptions,
): Promise<Parts> {
  const { db } = database
  const { data, fleet, log, settings, shared = data } = options
  const trust = await openTrust({ dir: join(shared, 'trust'), now: () => new Date() })
  await takeUpRestored(shared, db, trust, log)
  const anchor = anchorDigest(await trust.anchor())
  const cluster =
    options.shared === undefined
      ? ALONE
      : await joinCluster({ database, fleet, role: 'planner', anchor, log })
  try {
    const artifacts = await openArtifacts(
      {
        ...{ data, shared, artifacts: options.artifacts },
        cacheBytes: options.artifactsCache ?? ARTIFACTS_CACHE_BYTES,
      },
      db,
      () => new Date(),
    )
    const failPoints = armedFailPoints()
    const conductor = new Conductor({
      ...{ data, db, artifacts, profiles, trust, settings, failPoints, log, cluster },
    })
    await conductor.recover()
    const identity = await openIdentity(db, options)
    spreadRevocations(identity, cluster, conductor)
    return { trust, identity, conductor, cluster }
  } catch (error) {
    await cluster.close()
    throw error
  }
}

/** Who is revoked at one planner is refused by all. */
function spreadRevocations(
  { revocations }: PlannerIdentity,
  cluster: Cluster,
  conductor: Conductor,
): void {
  let isTold = false
  revocations.listen(({ device, serials }) => {
    if (!isTold) cluster.tell({ kind: 'revoked', device, serials: [...serials] })
  })
  conductor.onRevoked((revocation) => {
    isTold = true
    revocations.announce(revocation)
    isTold = false
  })
}

function openIdentity(db: Db, options: PlannerOptions): Promise<PlannerIdentity> {
  const { data, shared = data, fleet, log } = options
  return openPlannerIdentity({
    ...{ data: shared, db, fleet, log },
    names: options.names ?? [],
    days: options.certificateDays ?? DEVICE_CERTIFICATE_DAYS,
    memberBroker: options.outside?.broker,
    now: () => new Date(),
  })
}

function watchTime(
  identity: PlannerIdentity,
  conductor: Conductor,
  { log }: PlannerOptions,
): Promise<() => Promise<void>> {
  const onJump = () => {
    identity.lookAgain()
    conductor.poke()
  }
  return keepClock({ db: conductor.context.db, log, onJump })
}

function armedFailPoints(): FailPoints {
  const list = 'planner/conductor/context/commit-names.ts'
  return failPointsFrom(process.env.FITMENT_FAIL_POINT, failPointNames(), list)
}
