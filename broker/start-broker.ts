import type { Socket } from 'node:net'
import { type Logger, pino } from 'pino'
import { invariant } from '../shared/errors.ts'
import type { Family } from '../shared/exposition/index.ts'
import { fleetSchema } from '../shared/ids.ts'
import { type Channel, fleetFilter, joinFilter } from '../shared/messages/index.ts'
import { SparseLog } from '../shared/sparse-log.ts'
import { Admission } from './admission.ts'
import { Connection } from './connection.ts'
import { Devices, type ReceiverTopic } from './devices.ts'
import { Door, type DoorRules } from './door.ts'
import { BrokerFigures } from './figures.ts'
import { type Authenticate, believeClientIds, type Identity } from './identity.ts'
import { Joining } from './joining.ts'
import { type BrokerLimits, DEFAULT_LIMITS } from './limits.ts'
import { createListener, listen, renewCertificate, type TlsMaterial } from './listener.ts'
import { Members } from './members.ts'
import { WholeFrames } from './packets.ts'
import { Planners } from './planners.ts'
import { Router, type Take } from './router.ts'

export interface BrokerOptions {
  readonly fleets: readonly string[]
  /** Default: loopback only, since client ids are believed unless `authenticate` says otherwise. */
  readonly host?: string
  /** 0, the default: any free port. */
  readonly port?: number
  readonly limits?: Partial<BrokerLimits>
  /** What a planner in another process logs in with; none: only the planner of this process. */
  readonly plannerSecret?: string
  /** Default: `believeClientIds`. */
  readonly authenticate?: Authenticate
  /** Listens with TLS only; goes with `believeCertificates`. */
  readonly tls?: TlsMaterial
  /** Asked again of who has come in, at every sweep and `recheck`; default: once in, always in. */
  readonly isWelcome?: (identity: Identity) => boolean
  readonly log?: Logger
}

export interface Broker {
  readonly host: string
  readonly port: number
  /**
   * Messages on a channel of all devices of a fleet, for the planner of this process. Returns once
   * they come; what is returned ends them.
   */
  subscribe(fleet: string, channel: Channel, take: Take): Promise<() => Promise<void>>
  /** Requests for certificates of a fleet, likewise. */
  subscribeJoins(fleet: string, take: Take): Promise<() => Promise<void>>
  /** Resolves when the client's socket has taken the bytes. @throws BrokerError */
  publishToClient(to: ReceiverTopic, bytes: Uint8Array): Promise<void>
  connectedClients(): readonly Identity[]
  /** For metrics. */
  figures(): readonly Family[]
  /** Closes live connections that are no longer welcome, at once; answers how many. */
  recheck(): number
  /** Connections from now on see this certificate of the server. */
  renewCertificate(tls: TlsMaterial): void
  close(): Promise<void>
}

/** @throws BrokerError `cannot-listen` */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  for (const fleet of options.fleets) invariant(fleetSchema.safeParse(fleet).success, 'fleet names')
  const { fleets, plannerSecret } = options
  const log = options.log ?? pino({ level: 'silent' })
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const refusals = new SparseLog(log)
  const figures = new BrokerFigures()
  const devices = new Devices(limits)
  const joining = new Joining(limits)
  const { isWelcome = () => true } = options
  const planners = await Planners.open({ limits, devices, figures, isWelcome, log, refusals })
  const router = new Router(planners)
  const host = {
    frames: new WholeFrames(),
    drainTimeoutMs: limits.drainTimeoutMs,
    denied: (details: Readonly<Record<string, unknown>>, what: string) =>
      refusals.warn(details, what),
    came: (bytes: number) => figures.came(bytes),
    route: (topic: string, payload: Buffer) => router.route(topic, payload),
  }
  const members = new Members({ devices, joining, planners, figures, isWelcome, host })
  const admission = new Admission(limits)
  const rules: DoorRules = {
    ...{ limits, refusals, log },
    authenticate: options.authenticate ?? believeClientIds(fleets, plannerSecret),
    hasRoomFor: (identity) => joining.hasRoomFor(identity),
    enter: (connection, identity, connect) => members.enter(connection, identity, connect),
  }
  const entrance = { admission, figures, rules }
  const server = createListener({
    tls: options.tls,
    handshakeTimeoutMs: limits.connectTimeoutMs,
    admit: (socket) => admit(socket, entrance),
    accept: (socket) => accept(socket, entrance),
  })
  const recheck = () => members.recheck()
  const sweep = setInterval(recheck, limits.sweepMs).unref()
  const address = options.host ?? '127.0.0.1'
  const closeAll = async () => {
    clearInterval(sweep)
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    await planners.close()
    admission.closeAll()
    await closed
  }
  try {
    const port = await listen(server, address, options.port ?? 0)
    return {
      host: address,
      port,
      subscribe: async (fleet, channel, take) => router.add(fleetFilter(fleet, channel), take),
      subscribeJoins: async (fleet, take) => router.add(joinFilter(fleet, 'request'), take),
      publishToClient: (to, bytes) => devices.publish(to, bytes),
      connectedClients: () => members.present,
      figures: () => figures.families(members.present),
      recheck,
      renewCertificate: (tls) => renewCertificate(server, tls),
      close: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

interface Entrance {
  readonly admission: Admission
  readonly figures: BrokerFigures
  readonly rules: DoorRules
}

function admit(socket: Socket, { admission, figures, rules }: Entrance): boolean {
  const denial = admission.admit(socket)
  if (denial === undefined) return true
  figures.refused('not-admitted')
  rules.refusals.warn({ address: socket.remoteAddress, reason: denial }, 'connection refused')
  return false
}

function accept(socket: Socket, { figures, rules }: Entrance): void {
  const open = (connection: Connection) => new Door(connection, rules)
  new Connection(socket, rules.limits, open, (violation) => {
    figures.refused('violation')
    rules.refusals.warn({ address: socket.remoteAddress, reason: violation }, 'connection closed')
  })
}
