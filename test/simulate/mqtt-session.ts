import { connect, type Socket } from 'node:net'
import {
  type Connecting,
  DENIED,
  FrameReader,
  HEARD,
  PINGREQ,
  printConnect,
  printPuback,
  printPublish,
  printSubscribe,
  readPublish,
  type Subscription,
} from './mqtt-frames.ts'

const KEEPALIVE_S = 30
/** A little before the broker would miss it: as often as an agent's client asks. */
const PING_MS = 27_000
/** Longest until it is connected and subscribed. */
const CONNECT_MS = 30_000
/** Of all sessions: what was read is taken before the next read. */
const ARRIVING = Buffer.allocUnsafeSlow(256 * 1024)

export interface SessionOptions extends Omit<Connecting, 'keepaliveS'> {
  readonly broker: { readonly host: string; readonly port: number }
  /** Brokers bound what one address may connect: on loopback there are many. */
  readonly localAddress?: string | undefined
  readonly subscriptions: readonly Subscription[]
  /** Connected and subscribed. */
  onUp(): void
  /** The payload is to be read at once: its memory is the next one's. */
  onMessage(topic: string, payload: Buffer): void
  /** Once. */
  onDown(reason: string): void
}

/**
 * One MQTT 3.1.1 session on a real socket, lean enough for ten thousand of them in a process: no queue, no timer, no stream
 * to read from, no reconnecting. What must not be lost is the device's business, as it is an agent's.
 */
export class MqttSession {
  readonly #options: SessionOptions
  readonly #socket: Socket
  readonly #frames = new FrameReader((first, body) => this.#take(first, body))
  #nextId = 1
  /** Monotonic ms. */
  #pingAt = Number.POSITIVE_INFINITY
  readonly #patientUntil = performance.now() + CONNECT_MS
  #isDown = false
  #reason = 'the broker closed the connection'

  constructor(options: SessionOptions) {
    this.#options = options
    const { broker, localAddress, clientId, username, will } = options
    // No objects spread into others here: each such spread costs as much as a write to the socket.
    this.#socket = connect({
      host: broker.host,
      port: broker.port,
      localAddress,
      noDelay: true,
      onread: { buffer: ARRIVING, callback: (length) => this.#read(length) },
    })
    this.#socket.on('connect', () =>
      this.#send(printConnect({ clientId, username, keepaliveS: KEEPALIVE_S, will })),
    )
    this.#socket.on('error', (error) => {
      this.#reason = error.message
    })
    this.#socket.on('close', () => this.#end(this.#reason))
  }

  /** QoS 1 as an agent publishes; nobody waits for the broker's word, the planner's receipt is what counts. */
  publish(topic: string, payload: Buffer): void {
    this.#send(printPublish(this.#takeId(), topic, payload))
  }

  /** Keeps it alive, called more often than that; and gives up who does not let it in, as an agent's client does. */
  tick(now: number): void {
    if (this.#pingAt === Number.POSITIVE_INFINITY && now > this.#patientUntil)
      this.#end('the broker does not answer')
    if (now < this.#pingAt) return
    this.#pingAt = now + PING_MS
    this.#send(PINGREQ)
  }

  /** Stops reading: its window fills, and the broker's buffers behind it. */
  freeze(): void {
    this.#socket.pause()
  }

  /** As when power or network goes: no farewell. */
  drop(): void {
    this.#socket.destroy()
  }

  #read(length: number): boolean {
    if (!this.#frames.read(ARRIVING.subarray(0, length))) this.#end('the broker speaks no MQTT')
    return true
  }

  #take(first: number, body: Buffer): void {
    switch (first >> 4) {
      case HEARD.connack:
        if (body[1] !== 0) this.#end(`refused with code ${body[1]}`)
        else this.#send(printSubscribe(this.#takeId(), this.#options.subscriptions))
        return
      case HEARD.suback:
        if (body.includes(DENIED, 2)) {
          this.#end('denied its topics')
          return
        }
        this.#pingAt = performance.now() + PING_MS
        this.#options.onUp()
        return
      case HEARD.publish:
        this.#takePublish(first, body)
        return
      default:
        return
    }
  }

  #takePublish(first: number, body: Buffer): void {
    const published = readPublish(first, body)
    if (published === undefined) {
      this.#end('a message that is none')
      return
    }
    const { topic, messageId, payload } = published
    if (messageId !== undefined) this.#send(printPuback(messageId))
    this.#options.onMessage(topic, payload)
  }

  #takeId(): number {
    const id = this.#nextId
    this.#nextId = (id % 65_535) + 1
    return id
  }

  #send(frame: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(frame)
  }

  #end(reason: string): void {
    this.#pingAt = Number.POSITIVE_INFINITY
    this.#socket.destroy()
    if (this.#isDown) return
    this.#isDown = true
    this.#options.onDown(reason)
  }
}
