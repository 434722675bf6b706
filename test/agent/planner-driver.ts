import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { digestOf } from '../../shared/digest.ts'
import {
  type ArtifactRef,
  type Birth,
  BLOCK_BYTES,
  type Death,
  type HeardReport,
  type Order,
  parseMessage,
  printBlockFrame,
  printMessage,
  printTopic,
  type Report,
  type Want,
  wantedBlocks,
} from '../../shared/messages/index.ts'

export const FLEET = 'lab'

/** What a test may do to a block on its way: drop it, change it, send it twice. */
export type Interference = (artifact: string, index: number, frame: Buffer) => Buffer[]

export interface DriverOptions {
  readonly interfere?: Interference
  readonly port?: number
}

/** The other end of the wire for tests: a real broker, and a planner that answers what it is told to. */
export class PlannerDriver {
  readonly births: Birth[] = []
  readonly deaths: Death[] = []
  readonly reports: Report[] = []
  readonly wants: Want[] = []
  readonly #files = new Map<string, Buffer>()
  readonly #waiting = new Set<() => void>()
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  readonly #broker: Aedes
  interfere: Interference | undefined
  /** Blocks sent, repeats included. */
  blocksSent = 0
  /** Receipts for reports as they come. */
  receipts = true
  /** Where receipts say that a copy of the artifacts lies; births get one then, too. */
  copy: string | undefined
  /** Orders said again at every birth, as an outbox would. */
  readonly orders: Order[] = []

  private constructor(broker: Aedes, server: Server) {
    this.#broker = broker
    this.#server = server
  }

  static async start(options: DriverOptions = {}): Promise<PlannerDriver> {
    const broker = await Aedes.createBroker()
    const server = createServer({ noDelay: true }, (socket) => broker.handle(socket))
    await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
    const driver = new PlannerDriver(broker, server)
    driver.interfere = options.interfere
    server.on('connection', (socket) => {
      driver.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => driver.#sockets.delete(socket))
    })
    broker.on('publish', (packet) => {
      if (packet.topic.startsWith('fit/')) driver.#hear(packet.topic, packet.payload as Buffer)
    })
    return driver
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  /** Makes these bytes fetchable, with their block list. */
  offer(bytes: Uint8Array): ArtifactRef {
    const data = Buffer.from(bytes)
    const digests: Buffer[] = []
    for (let at = 0; at < data.length; at += BLOCK_BYTES) {
      digests.push(Buffer.from(digestOf(data.subarray(at, at + BLOCK_BYTES)), 'hex'))
    }
    const list = Buffer.concat(digests)
    const ref = { digest: digestOf(data), bytes: data.length, blockList: digestOf(list) }
    this.#files.set(ref.digest, data)
    this.#files.set(ref.blockList, list)
    return ref
  }

  withdraw(ref: ArtifactRef): void {
    this.#files.delete(ref.digest)
    this.#files.delete(ref.blockList)
  }

  async send(device: string, order: Order): Promise<void> {
    await this.sendRaw(device, 'orders', printMessage('orders', order))
  }

  async sendRaw(device: string, channel: 'orders' | 'blocks', payload: Buffer): Promise<void> {
    const topic = printTopic({ fleet: FLEET, device, channel })
    await new Promise<void>((resolve, reject) => {
      const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const
      this.#broker.publish(packet, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Resolves once `found` answers something. */
  async until<T>(found: () => T | undefined | false): Promise<T> {
    for (;;) {
      const value = found()
      if (value !== undefined && value !== false) return value
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  report<K extends Report['kind']>(
    kind: K,
    matches: (report: Extract<Report, { kind: K }>) => boolean,
  ): Promise<Extract<Report, { kind: K }>> {
    return this.until(() =>
      this.reports.find(
        (report): report is Extract<Report, { kind: K }> =>
          report.kind === kind && matches(report as Extract<Report, { kind: K }>),
      ),
    )
  }

  /** Cuts every connection; devices may come back. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Answers the port, so that another driver can take its place. */
  async stop(): Promise<number> {
    const { port } = this
    this.cut()
    await new Promise<void>((resolve) => this.#broker.close(() => resolve()))
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    return port
  }

  #hear(topic: string, payload: Buffer): void {
    const parsed = parseMessage(topic, payload)
    if (!parsed.ok) return
    const { message } = parsed
    if (message.channel === 'birth') {
      this.births.push(message.payload)
      if (this.copy !== undefined) this.#confirm(message.device, message.payload.id)
      for (const order of this.orders) void this.send(message.device, order)
    } else if (message.channel === 'death') this.deaths.push(message.payload)
    else if (message.channel === 'want') this.#serve(message.device, message.payload)
    else if (message.channel === 'reports') this.#take(message.device, message.payload)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  #take(device: string, report: HeardReport): void {
    if (report.kind === 'later') return
    const isNew = !this.reports.some(({ id }) => id === report.id)
    if (isNew) this.reports.push(report)
    if (this.receipts) this.#confirm(device, report.id)
  }

  #confirm(device: string, id: string): void {
    const { copy: artifacts } = this
    const receipt = { id: `receipt-${id}`, reports: [id], ...(artifacts && { artifacts }) }
    void this.send(device, { v: 1, kind: 'receipt', ...receipt })
  }

  #serve(device: string, want: Want): void {
    this.wants.push(want)
    const file = this.#files.get(want.artifact)
    if (!file) return
    const topic = printTopic({ fleet: FLEET, device, channel: 'blocks' })
    for (const index of wantedBlocks(want)) {
      const bytes = file.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES)
      if (bytes.length === 0) continue
      const frame = printBlockFrame(want.artifact, index, bytes)
      for (const payload of this.interfere?.(want.artifact, index, frame) ?? [frame]) {
        this.blocksSent += 1
        this.#toClient(device, topic, payload)
      }
    }
  }

  #toClient(device: string, topic: string, payload: Buffer): void {
    const packet = { cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false } as const
    const { clients } = this.#broker as unknown as {
      clients: Record<string, { publish(packet: unknown, done: () => void): void }>
    }
    clients[`${FLEET}/${device}`]?.publish(packet, () => {})
  }
}
