import { EventEmitter } from 'node:events'
import type { Server, Socket } from 'node:net'
import { Aedes, type AedesPublishPacket, type Client } from 'aedes'
import { type Logger, pino } from 'pino'
import { invariant } from '../shared/errors.ts'
import type { Family } from '../shared/exposition/index.ts'
import { fleetSchema } from '../shared/ids.ts'
import { type Channel, fleetFilter, joinFilter } from '../shared/messages/index.ts'
import { SparseLog } from '../shared/sparse-log.ts'
import { Admission } from './admission.ts'
import { Devices, type ReceiverTopic } from './devices.ts'
import { BrokerFigures } from './figures.ts'
import { FrameGuard } from './frame-guard.ts'
import { GuardedConnection } from './guarded-connection.ts'
import { hooksOf } from './hooks.ts'
import { type Authenticate, believeClientIds, type Identity } from './identity.ts'
import { Joining } from './joining.ts'
import { type BrokerLimits, DEFAULT_LIMITS } from './limits.ts'
import { createListener, listen, renewCertificate, type TlsMaterial } from './listener.ts'
import { Pace } from './pace.ts'
import { bytesOf } from './payload.ts'
import { spareWork } from './spared-work.ts'

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
  subscribe(
    fleet: string,
    channel: Channel,
    take: (topic: string, bytes: Uint8Array) => void,
  ): Promise<() => Promise<void>>
  /** Requests for certificates of a fleet, likewise. */
  subscribeJoins(
    fleet: string,
    take: (topic: string, bytes: Uint8Array) => void,
  ): Promise<() => Promise<void>>
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
  const { host = '127.0.0.1', port = 0, fleets, plannerSecret } = options
  const log = options.log ?? pino({ level: 'silent' })
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const authenticate = options.authenticate ?? believeClientIds(fleets, plannerSecret)
  const devices = new Devices(limits)
  const joining = new Joining(limits)
  const identities = new WeakMap<Client, Identity>()
  const refusals = new SparseLog(log)
  const aedes = await Aedes.createBroker({
    ...hooksOf({ authenticate, identities, devices, joining, log, refusals }),
    connectTimeout: limits.connectTimeoutMs,
    drainTimeout: limits.drainTimeoutMs,
    keepaliveLimit: limits.keepaliveSeconds,
    maxInflightInbound: 16,
    maxTopicLevels: 8,
  })
  spareWork(aedes)
  const isWelcome = options.isWelcome ?? (() => true)
  const present = follow(aedes, { identities, devices, joining, isWelcome, log })
  const admission = new Admission(limits)
  const figures = new BrokerFigures(aedes, present)
  const door = {
    admission,
    limits,
    refusals,
    figures,
    handle: (c: GuardedConnection) => aedes.handle(c),
  }
  const server = createListener({
    tls: options.tls,
    handshakeTimeoutMs: limits.connectTimeoutMs,
    admit: (socket) => admit(socket, door),
    accept: (socket) => accept(socket, door),
  })
  const recheck = () => showOut(present, isWelcome)
  const sweep = setInterval(recheck, limits.sweepMs).unref()
  const closeAll = () => {
    clearInterval(sweep)
    return close(aedes, server, admission)
  }
  try {
    const listeningPort = await listen(server, host, port)
    return {
      host,
      port: listeningPort,
      subscribe: (fleet, channel, take) => subscribeAedes(aedes, fleetFilter(fleet, channel), take),
      subscribeJoins: (fleet, take) => subscribeAedes(aedes, joinFilter(fleet, 'request'), take),
      publishToClient: (to, bytes) => devices.publish(to, bytes),
      connectedClients: () => [...present.values()],
      figures: () => figures.families(),
      recheck,
      renewCertificate: (tls) => renewCertificate(server, tls),
      close: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

interface Door {
  readonly admission: Admission
  readonly limits: BrokerLimits
  readonly refusals: SparseLog
  readonly figures: BrokerFigures
  readonly handle: (connection: GuardedConnection) => unknown
}

function admit(socket: Socket, { admission, refusals, figures }: Door): boolean {
  const denial = admission.admit(socket)
  if (denial === undefined) return true
  figures.refused('not-admitted')
  refusals.warn({ address: socket.remoteAddress, reason: denial }, 'connection refused')
  return false
}

function accept(socket: Socket, { limits, refusals, figures, handle }: Door): void {
  const address = socket.remoteAddress
  const guard = new FrameGuard(limits)
  const connection = new GuardedConnection(socket, guard, new Pace(limits), (violation) => {
    figures.refused('violation')
    refusals.warn({ address, reason: violation }, 'connection closed')
  })
  handle(connection)
}

function showOut(
  present: ReadonlyMap<Client, Identity>,
  isWelcome: (identity: Identity) => boolean,
): number {
  const unwelcome = [...present].filter(([, identity]) => !isWelcome(identity))
  for (const [client] of unwelcome) client.close()
  return unwelcome.length
}

interface Presence {
  readonly identities: WeakMap<Client, Identity>
  readonly devices: Devices
  readonly joining: Joining
  readonly isWelcome: (identity: Identity) => boolean
  readonly log: Logger
}

/** Who is connected: from the moment aedes has let a client in until its connection closes. */
function follow(
  aedes: Aedes,
  { identities, devices, joining, isWelcome, log }: Presence,
): ReadonlyMap<Client, Identity> {
  const present = new Map<Client, Identity>()
  aedes.on('client', (client) => {
    const identity = identities.get(client)
    if (identity === undefined || client.closed) return
    // What was revoked while aedes let it in.
    if (!isWelcome(identity)) return client.close()
    present.set(client, identity)
    if (identity.role !== 'planner') devices.enter(identity, client)
    if (identity.role === 'bootstrap') joining.enter(client)
    client.conn.once('close', () => {
      present.delete(client)
      if (identity.role !== 'planner') devices.leave(identity, client)
    })
  })
  aedes.on('clientError', (client, error) => {
    log.debug({ client: client.id, reason: error.message }, 'client error')
  })
  // An error event that nobody listens to would end the process.
  EventEmitter.prototype.on.call(aedes, 'error', (error: Error) => {
    log.error({ reason: error.message }, 'broker error')
  })
  aedes.on('connectionError', (_client, error) => {
    log.debug({ reason: error.message }, 'connection error')
  })
  return present
}

function subscribeAedes(
  aedes: Aedes,
  filter: string,
  take: (topic: string, bytes: Uint8Array) => void,
): Promise<() => Promise<void>> {
  const deliver = (packet: AedesPublishPacket, done: () => void) => {
    take(packet.topic, bytesOf(packet.payload))
    done()
  }
  const unsubscribe = () =>
    new Promise<void>((resolve) => aedes.unsubscribe(filter, deliver, resolve))
  return new Promise((resolve) => aedes.subscribe(filter, deliver, () => resolve(unsubscribe)))
}

async function close(aedes: Aedes, server: Server, admission: Admission): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await new Promise<void>((resolve) => aedes.close(() => resolve()))
  admission.closeAll()
  await closed
}
