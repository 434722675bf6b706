import { EventEmitter } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Aedes, type AedesPublishPacket, type Client } from 'aedes'
import { type Logger, pino } from 'pino'
import { invariant } from '../shared/errors.ts'
import { fleetSchema } from '../shared/ids.ts'
import { type Channel, type DeviceTopic, fleetFilter } from '../shared/messages/topics.ts'
import { SparseLog } from '../shared/sparse-log.ts'
import { Admission } from './admission.ts'
import { Devices } from './devices.ts'
import { BrokerError } from './errors.ts'
import { FrameGuard } from './frame-guard.ts'
import { GuardedConnection } from './guarded-connection.ts'
import { hooksOf } from './hooks.ts'
import { type Authenticate, believeClientIds, type Identity } from './identity.ts'
import { type BrokerLimits, DEFAULT_LIMITS } from './limits.ts'
import { bytesOf } from './payload.ts'

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
  /** Resolves when the device's socket has taken the bytes. @throws BrokerError */
  publishToClient(to: DeviceTopic, bytes: Uint8Array): Promise<void>
  connectedClients(): readonly Identity[]
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
  const identities = new WeakMap<Client, Identity>()
  const refusals = new SparseLog(log)
  const aedes = await Aedes.createBroker({
    ...hooksOf({ authenticate, identities, devices, log, refusals }),
    connectTimeout: limits.connectTimeoutMs,
    drainTimeout: limits.drainTimeoutMs,
    keepaliveLimit: limits.keepaliveSeconds,
    maxInflightInbound: 16,
    maxTopicLevels: 8,
  })
  const present = follow(aedes, identities, devices, log)
  const admission = new Admission(limits)
  const server = createServer({ noDelay: true, highWaterMark: SOCKET_BUFFER_BYTES }, (socket) =>
    accept(socket, { admission, limits, refusals, handle: (guarded) => aedes.handle(guarded) }),
  )
  try {
    const listeningPort = await listen(server, host, port)
    return {
      host,
      port: listeningPort,
      subscribe: (fleet, channel, take) => subscribeAedes(aedes, fleetFilter(fleet, channel), take),
      publishToClient: (to, bytes) => devices.publish(to, bytes),
      connectedClients: () => [...present.values()],
      close: () => close(aedes, server, admission),
    }
  } catch (error) {
    await close(aedes, server, admission)
    throw error
  }
}

/** Room for a few blocks, so that a full pipe needs few system calls. */
const SOCKET_BUFFER_BYTES = 256 * 1024

interface Door {
  readonly admission: Admission
  readonly limits: BrokerLimits
  readonly refusals: SparseLog
  readonly handle: (connection: GuardedConnection) => unknown
}

function accept(socket: Socket, { admission, limits, refusals, handle }: Door): void {
  const address = socket.remoteAddress
  const denial = admission.admit(socket)
  if (denial !== undefined) {
    refusals.warn({ address, reason: denial }, 'connection refused')
    socket.destroy()
    return
  }
  const guard = new FrameGuard(limits)
  const connection = new GuardedConnection(socket, guard, (violation) => {
    refusals.warn({ address, reason: violation }, 'connection closed')
  })
  handle(connection)
}

/** Who is connected: from the moment aedes has let a client in until its connection closes. */
function follow(
  aedes: Aedes,
  identities: WeakMap<Client, Identity>,
  devices: Devices,
  log: Logger,
): ReadonlyMap<Client, Identity> {
  const present = new Map<Client, Identity>()
  aedes.on('client', (client) => {
    const identity = identities.get(client)
    if (identity === undefined || client.closed) return
    present.set(client, identity)
    if (identity.role === 'device') devices.enter(identity, client)
    client.conn.once('close', () => {
      present.delete(client)
      if (identity.role === 'device') devices.leave(identity, client)
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

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? cause.message
      const message = `cannot listen on ${host}:${port} (${reason}): is another broker running there?`
      reject(new BrokerError('cannot-listen', message, { host, port }, { cause }))
    })
    server.listen(port, host, () => {
      const address = server.address()
      invariant(typeof address === 'object' && address !== null, 'a TCP server has a port')
      resolve(address.port)
    })
  })
}

async function close(aedes: Aedes, server: Server, admission: Admission): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await new Promise<void>((resolve) => aedes.close(() => resolve()))
  admission.closeAll()
  await closed
}
