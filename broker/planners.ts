import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import { Aedes, type AedesOptions, type Client } from 'aedes'
import type { Logger } from 'pino'
import { invariant, messageOf } from '../shared/errors.ts'
import type { SparseLog } from '../shared/sparse-log.ts'
import { mayUse } from './access.ts'
import type { Connection, FrameTaker } from './connection.ts'
import { type Devices, toOneClient } from './devices.ts'
import type { BrokerFigures } from './figures.ts'
import type { Identity } from './identity.ts'
import type { BrokerLimits } from './limits.ts'

export type PlannerIdentity = Extract<Identity, { role: 'planner' }>

/** Where a dropped publish goes: a topic that no role may subscribe. */
const NOWHERE = '$SYS/nowhere'
const NOTHING = Buffer.alloc(0)

export interface PlannersOptions {
  readonly limits: BrokerLimits
  readonly devices: Devices
  readonly figures: BrokerFigures
  readonly isWelcome: (identity: Identity) => boolean
  readonly log: Logger
  /** What clients are denied. */
  readonly refusals: SparseLog
}

/** Planners of other processes: they subscribe to everybody's topics, which takes a router, and that is Aedes. */
export class Planners {
  readonly #aedes: Aedes
  readonly #present: Map<Client, PlannerIdentity>

  private constructor(aedes: Aedes, present: Map<Client, PlannerIdentity>) {
    this.#aedes = aedes
    this.#present = present
  }

  static async open(options: PlannersOptions): Promise<Planners> {
    const { limits, log, figures } = options
    const aedes = await Aedes.createBroker({
      ...hooksOf(options),
      connectTimeout: limits.connectTimeoutMs,
      drainTimeout: limits.drainTimeoutMs,
      keepaliveLimit: limits.keepaliveSeconds,
      maxInflightInbound: 16,
      maxTopicLevels: 8,
    })
    const present = new Map<Client, PlannerIdentity>()
    aedes.on('client', (client) => {
      if (client.closed) return
      // What was revoked while Aedes let it in.
      if (!options.isWelcome(identityOf(client))) {
        client.close()
        return
      }
      present.set(client, identityOf(client))
      client.conn.once('close', () => present.delete(client))
    })
    aedes.on('publish', (packet, client) => {
      if (client !== null) figures.came(packet.payload.length)
    })
    aedes.on('clientReady', () => figures.letIn())
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
    return new Planners(aedes, present)
  }

  get present(): ReadonlyMap<{ close(): void }, PlannerIdentity> {
    return this.#present
  }

  /** @param connect the frame that it came with */
  enter(connection: Connection, identity: PlannerIdentity, connect: Buffer): void {
    const stream = new PlannerStream(connection, identity)
    connection.admit(stream, { isLarge: true, isPaced: false })
    stream.frame(connect)
    this.#aedes.handle(stream)
  }

  /**
   * Done when those that subscribed have it, each with the QoS of its subscription, or `undefined` where none is here. All
   * at QoS 1: those of QoS 0 would overtake others in Aedes, which drops whatever was overtaken.
   */
  publish(topic: string, payload: Buffer): Promise<void> | undefined {
    if (this.#present.size === 0) return undefined
    const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const
    return new Promise((resolve) => this.#aedes.publish(packet, () => resolve()))
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#aedes.close(() => resolve()))
  }
}

function identityOf(client: Client): PlannerIdentity {
  invariant(client.conn instanceof PlannerStream, 'planners come by their streams')
  return client.conn.identity
}

/** What Aedes asks before it lets anything through; who it is was asked before. */
function hooksOf({
  devices,
  log,
  refusals,
}: PlannersOptions): Pick<
  Required<AedesOptions>,
  'preConnect' | 'authorizePublish' | 'authorizeSubscribe'
> {
  const handOver = (text: string, payload: Buffer) => {
    const topic = toOneClient(text)
    if (topic === undefined) return
    devices.publish(topic, payload).catch((error) => {
      log.debug({ ...topic, reason: messageOf(error) }, 'dropped')
    })
  }
  return {
    preConnect: (_client, packet, next) => {
      packet.clean = true
      next(null, true)
    },
    // An error would close the connection without a word: what is denied goes nowhere instead. All that a planner says
    // is for one device or joiner, and goes straight to its socket.
    authorizePublish: (client, packet, next) => {
      const { topic, payload } = packet
      if (client !== null && mayUse(identityOf(client), 'publish', topic))
        handOver(topic, typeof payload === 'string' ? Buffer.from(payload) : payload)
      else refusals.warn({ client: client?.id, topic }, 'publish denied')
      packet.retain = false
      packet.topic = NOWHERE
      packet.payload = NOTHING
      next(null)
    },
    authorizeSubscribe: (client, subscription, next) => {
      const filter = subscription.topic
      if (mayUse(identityOf(client), 'subscribe', filter)) return next(null, subscription)
      refusals.warn({ client: client.id, filter }, 'subscription denied')
      return next(null, null)
    },
  }
}

type Done = (error?: Error | null) => void

/** Small, so that a write is called done when the kernel has taken it. */
const WRITE_BUFFER_BYTES = 16 * 1024
const READ_BUFFER_BYTES = 64 * 1024

/** The stream that Aedes sees of a connection: whole frames that were judged. */
class PlannerStream extends Duplex implements FrameTaker {
  readonly identity: PlannerIdentity
  readonly #connection: Connection

  constructor(connection: Connection, identity: PlannerIdentity) {
    super({
      allowHalfOpen: false,
      readableHighWaterMark: READ_BUFFER_BYTES,
      writableHighWaterMark: WRITE_BUFFER_BYTES,
    })
    this.identity = identity
    this.#connection = connection
  }

  frame(bytes: Buffer): void {
    if (!this.push(bytes)) this.#connection.hold()
  }

  gone(): void {
    this.destroy()
  }

  override _read(): void {
    this.#connection.release()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#whenTaken(this.#connection.socket.write(chunk), done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    const { socket } = this.#connection
    socket.cork()
    let taken = true
    for (const { chunk } of chunks) taken = socket.write(chunk)
    socket.uncork()
    this.#whenTaken(taken, done)
  }

  override _final(done: Done): void {
    this.#connection.socket.end(done)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#connection.close()
    done(error)
  }

  /** A socket that closes instead destroys this stream, which forgets `done`. */
  #whenTaken(taken: boolean, done: Done): void {
    if (taken) done()
    else this.#connection.socket.once('drain', done)
  }
}
