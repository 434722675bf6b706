import type {
  IConnectPacket,
  IPublishPacket,
  ISubscribePacket,
  IUnsubscribePacket,
  Packet,
} from 'mqtt-packet'
import { mayUse } from './access.ts'
import type { Connection, FrameTaker } from './connection.ts'
import type { Receiver } from './identity.ts'
import { Outlet } from './outlet.ts'
import { ACCEPTED, answering, granting, PONG, publishHead, type WholeFrames } from './packets.ts'

/** [MQTT-3.1.2-24]: one and a half times what the client asked for. */
const PATIENCE_MS_PER_SECOND = 1_500
/** [MQTT-3.9.3] of a filter that is denied. */
const DENIED = 128
/** Answers that a client has not read: until it does, nothing more of it is read. */
const UNREAD_BYTES = 16 * 1024
/** Messages of a client on their way to planners elsewhere, and of QoS 2 those that it has not released. */
const INBOUND = 16
/** Of one SUBSCRIBE: each is looked up in the rules. */
const FILTERS = 16
/** Up to here head and payload are one piece to write. */
const SMALL_BYTES = 4 * 1024
const MOST_ID = 65_535

/** What a session needs of the broker. */
export interface SessionHost {
  readonly frames: WholeFrames
  readonly drainTimeoutMs: number
  /** Whether it may say so much; asked of what it may say at all. */
  mayPublish(session: Session): boolean
  denied(details: Readonly<Record<string, unknown>>, what: string): void
  /** Counts a message that came. */
  came(bytes: number): void
  /** To whoever listens; a promise where that takes time. */
  route(topic: string, payload: Buffer): Promise<void> | undefined
  /** Once. */
  ended(session: Session): void
}

type Will = Pick<IPublishPacket, 'topic' | 'payload'>

/**
 * MQTT 3.1.1 with one that says what its role may say and hears its own topics: a device, or who joins. Sessions are clean,
 * nothing is retained, and what is denied goes nowhere, since closing the connection without a word helps nobody.
 */
export class Session implements FrameTaker {
  readonly identity: Receiver
  readonly clientId: string
  readonly #connection: Connection
  readonly #host: SessionHost
  readonly #outlet: Outlet
  /** With the QoS that was granted. */
  readonly #subscribed = new Map<string, number>()
  readonly #keepalive: NodeJS.Timeout
  #will: Will | undefined
  #unreleased: Set<number> | undefined
  /** Bytes of answers that its socket has not taken. */
  #owed = 0
  #inbound = 0
  #lastId = 0
  #isEnded = false

  constructor(
    connection: Connection,
    { clientId, keepalive = 0, will }: IConnectPacket,
    identity: Receiver,
    host: SessionHost,
  ) {
    this.identity = identity
    this.clientId = clientId
    this.#connection = connection
    this.#host = host
    this.#will = will
    this.#outlet = new Outlet(connection.socket, host.drainTimeoutMs)
    this.#keepalive = setTimeout(() => this.close(), PATIENCE_MS_PER_SECOND * keepalive)
  }

  get isClosed(): boolean {
    return this.#connection.isClosed
  }

  /** From here on it is read. */
  begin(): void {
    this.#answer(ACCEPTED)
  }

  hasSubscribed(topic: string): boolean {
    return this.#subscribed.has(topic)
  }

  /** At the QoS that was granted, at most `most`. Resolves when the client's socket has taken it, or is closed. */
  publish(topic: string, most: 0 | 1, payload: Uint8Array): Promise<void> {
    const qos = Math.min(most, this.#subscribed.get(topic) ?? 0)
    if (qos === 1) this.#lastId = (this.#lastId % MOST_ID) + 1
    const head = publishHead(topic, qos === 1 ? this.#lastId : undefined, payload.length)
    const body = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    const isSmall = body.length < SMALL_BYTES
    return new Promise((resolve) => {
      this.#outlet.write(isSmall ? [Buffer.concat([head, body])] : [head, body], resolve)
    })
  }

  close(): void {
    this.#connection.close()
  }

  frame(bytes: Buffer): void {
    const packet = this.#host.frames.read(bytes)
    if (packet === undefined) {
      this.#connection.violate('malformed')
      return
    }
    this.#keepalive.refresh()
    this.#take(packet)
    if (!this.#mayReadOn()) this.#connection.hold()
  }

  gone(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    clearTimeout(this.#keepalive)
    this.#outlet.end()
    const will = this.#will
    // Its own last word, under the rules of every other.
    if (will) void this.#say(will.topic, will.payload)
    this.#host.ended(this)
  }

  #take(packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        this.#takePublish(packet)
        break
      case 'pubrel':
        this.#unreleased?.delete(packet.messageId ?? 0)
        this.#answer(answering('pubcomp', packet.messageId ?? 0))
        break
      case 'subscribe':
        this.#takeSubscribe(packet)
        break
      case 'unsubscribe':
        this.#takeUnsubscribe(packet)
        break
      case 'pingreq':
        this.#answer(PONG)
        break
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        // Nothing is sent again within a session, and nothing outlives it.
        break
      case 'disconnect':
        this.#will = undefined
        this.#connection.socket.destroySoon()
        break
      default:
        // [MQTT-3.1.0-2] a second CONNECT, and what only a server says.
        this.#connection.violate('malformed')
    }
  }

  #takePublish({ topic, payload, qos, messageId = 0 }: IPublishPacket): void {
    // [MQTT-3.3.2-2], [MQTT-4.7.3-1]
    if (topic === '' || /[+#]/.test(topic)) this.#connection.violate('malformed')
    else if (qos === 2) this.#takeOnce(messageId, () => this.#hear(topic, payload))
    else {
      if (qos === 1) this.#answer(answering('puback', messageId))
      this.#hear(topic, payload)
    }
  }

  /** QoS 2: heard at its first PUBLISH, and known until it is released. */
  #takeOnce(messageId: number, hear: () => void): void {
    this.#unreleased ??= new Set()
    const isKnown = this.#unreleased.has(messageId)
    if (!isKnown && this.#unreleased.size >= INBOUND) {
      this.#connection.violate('too-many-unreleased')
      return
    }
    this.#unreleased.add(messageId)
    this.#answer(answering('pubrec', messageId))
    if (!isKnown) hear()
  }

  #hear(topic: string, payload: string | Buffer): void {
    const later = this.#say(topic, payload)
    if (later === undefined) return
    this.#inbound += 1
    void later.finally(() => {
      this.#inbound -= 1
      this.#readOn()
    })
  }

  #say(topic: string, payload: string | Buffer): Promise<void> | undefined {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    this.#host.came(bytes.length)
    if (mayUse(this.identity, 'publish', topic) && this.#host.mayPublish(this))
      return this.#host.route(topic, bytes)
    this.#host.denied({ client: this.clientId, topic }, 'publish denied')
    return undefined
  }

  #answer(packet: Buffer): void {
    this.#owed += packet.length
    this.#outlet.write([packet], () => {
      this.#owed -= packet.length
      this.#readOn()
    })
  }

  /** [MQTT-3.8.3-3], [MQTT-3.10.3-2]: of one filter at least; nobody here has use for many. */
  #mayList(filters: readonly unknown[]): boolean {
    if (filters.length > 0 && filters.length <= FILTERS) return true
    this.#connection.violate(filters.length === 0 ? 'malformed' : 'too-many-filters')
    return false
  }

  #takeSubscribe({ subscriptions, messageId = 0 }: ISubscribePacket): void {
    if (!this.#mayList(subscriptions)) return
    const granted = subscriptions.map(({ topic, qos }) => this.#subscribe(topic, qos))
    this.#answer(granting(messageId, granted))
  }

  #takeUnsubscribe({ unsubscriptions, messageId = 0 }: IUnsubscribePacket): void {
    if (!this.#mayList(unsubscriptions)) return
    for (const topic of unsubscriptions) this.#subscribed.delete(topic)
    this.#answer(answering('unsuback', messageId))
  }

  #subscribe(filter: string, qos: number): number {
    if (mayUse(this.identity, 'subscribe', filter)) {
      this.#subscribed.set(filter, Math.min(1, qos))
      return Math.min(1, qos)
    }
    this.#host.denied({ client: this.clientId, filter }, 'subscription denied')
    return DENIED
  }

  #mayReadOn(): boolean {
    return this.#owed <= UNREAD_BYTES && this.#inbound < INBOUND
  }

  #readOn(): void {
    if (this.#mayReadOn()) this.#connection.release()
  }
}
