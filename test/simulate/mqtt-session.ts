import { connect, type Socket } from 'node:net'
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'

const KEEPALIVE_S = 30
/** A little before the broker would miss it: as often as an agent's client asks. */
const PING_MS = 27_000
const PROTOCOL = { protocolVersion: 4 } as const

export interface SessionOptions {
  readonly host: string
  readonly port: number
  /** Brokers bound what one address may connect: on loopback there are many. */
  readonly localAddress?: string | undefined
  readonly clientId: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly will: { readonly topic: string; readonly payload: Buffer }
  readonly subscriptions: readonly { readonly topic: string; readonly qos: 0 | 1 }[]
  /** Connected and subscribed. */
  onUp(): void
  onMessage(topic: string, payload: Buffer): void
  /** Once. */
  onDown(reason: string): void
}

/**
 * One MQTT 3.1.1 session on a real socket, lean enough for ten thousand of them in a process: no queue, no timers but
 * the keep-alive, no reconnecting. What must not be lost is the device's business, as it is an agent's.
 */
export class MqttSession {
  readonly #options: SessionOptions
  readonly #socket: Socket
  readonly #parser = parser(PROTOCOL)
  #nextId = 1
  #ping: NodeJS.Timeout | undefined
  #isDown = false
  #reason = 'the broker closed the connection'

  constructor(options: SessionOptions) {
    this.#options = options
    const { host, port, localAddress } = options
    this.#socket = connect({ host, port, ...(localAddress && { localAddress }), noDelay: true })
    this.#parser.on('packet', (packet) => this.#take(packet))
    this.#parser.on('error', (error) => this.#end(error.message))
    this.#socket.on('connect', () => this.#send(this.#hello()))
    this.#socket.on('data', (bytes) => this.#parser.parse(bytes))
    this.#socket.on('error', (error) => {
      this.#reason = error.message
    })
    this.#socket.on('close', () => this.#end(this.#reason))
  }

  /** QoS 1 as an agent publishes; nobody waits for the broker's word, the planner's receipt is what counts. */
  publish(topic: string, payload: Buffer): void {
    const messageId = this.#nextId
    this.#nextId = (this.#nextId % 65_535) + 1
    this.#send({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId })
  }

  /** Stops reading: its window fills, and the broker's buffers behind it. */
  freeze(): void {
    this.#socket.pause()
  }

  /** As when power or network goes: no farewell. */
  drop(): void {
    this.#socket.destroy()
  }

  #hello(): IConnectPacket {
    const { clientId, username, password, will } = this.#options
    return {
      cmd: 'connect',
      protocolId: 'MQTT',
      ...PROTOCOL,
      clean: true,
      clientId,
      keepalive: KEEPALIVE_S,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password: Buffer.from(password) }),
      will: { ...will, qos: 1, retain: false },
    }
  }

  #take(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack': {
        if (packet.returnCode !== 0) {
          this.#end(`refused with code ${packet.returnCode}`)
          return
        }
        const messageId = this.#nextId++
        this.#send({
          cmd: 'subscribe',
          messageId,
          subscriptions: [...this.#options.subscriptions],
        })
        return
      }
      case 'suback':
        this.#ping = setInterval(() => this.#send({ cmd: 'pingreq' }), PING_MS)
        this.#options.onUp()
        return
      case 'publish':
        if (packet.qos === 1) this.#send({ cmd: 'puback', messageId: packet.messageId ?? 0 })
        this.#options.onMessage(packet.topic, packet.payload as Buffer)
        return
      default:
        return
    }
  }

  #send(packet: Packet): void {
    if (!this.#socket.destroyed) this.#socket.write(generate(packet, PROTOCOL))
  }

  #end(reason: string): void {
    clearInterval(this.#ping)
    this.#socket.destroy()
    if (this.#isDown) return
    this.#isDown = true
    this.#options.onDown(reason)
  }
}
