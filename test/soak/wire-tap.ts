import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type Packet, parser } from 'mqtt-packet'
import { type Message, parseMessage } from '../../shared/messages/index.ts'

/**
 * Stands between agents and broker and reads what passes. It outlives both, so it knows what was promised
 * by processes that are dead.
 */
export class WireTap {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #heard: (message: Message) => void
  readonly #brokerPort: number

  constructor(brokerPort: number, heard: (message: Message) => void) {
    this.#brokerPort = brokerPort
    this.#heard = heard
    this.#server = createServer({ noDelay: true }, (socket) => this.#join(socket))
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #join(agent: Socket): void {
    const broker = connect({ port: this.#brokerPort, host: '127.0.0.1', noDelay: true })
    for (const [from, to] of [
      [agent, broker],
      [broker, agent],
    ] as const) {
      const read = this.#reader()
      this.#sockets.add(from)
      // What arrives is read before it is passed on: no receiver knows of it earlier.
      from.on('data', (chunk) => {
        read(chunk)
        if (!to.write(chunk)) from.pause()
      })
      to.on('drain', () => from.resume())
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        // Not at once: what was written to it is still on its way.
        to.end()
      })
    }
  }

  #reader(): (chunk: Buffer) => void {
    const frames = parser({ protocolVersion: 4 })
    frames.on('packet', (packet: Packet) => {
      if (packet.cmd !== 'publish' || packet.topic.endsWith('/blocks')) return
      const parsed = parseMessage(packet.topic, Buffer.from(packet.payload as Buffer))
      if (parsed.ok) this.#heard(parsed.message)
    })
    return (chunk) => void frames.parse(chunk)
  }
}
