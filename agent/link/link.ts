import { type BackoffOptions, pauseMs } from '../../shared/backoff.ts'
import { messageOf } from '../../shared/errors.ts'
import {
  type Birth,
  type BlockFrame,
  type Epoch,
  framePrefix,
  type HeardOrder,
  parseMessage,
  printMessage,
  type Report,
  type Want,
} from '../../shared/messages/index.ts'
import { ANSWER_MS, Connection } from './connection.ts'
import { Drops } from './drops.ts'
import type { Endpoint } from './endpoint.ts'
import type { Log } from './log.ts'
import { Unpacker } from './unpacker.ts'

export interface LinkOptions {
  readonly endpoint: Endpoint
  readonly fleet: string
  readonly device: string
  /** Random per process: births and deaths of one start belong together. */
  readonly start: string
  readonly backoff: BackoffOptions
  /** Default: 15 s. */
  readonly answerMs?: number
  readonly log: Log
  /** What this device says of itself, gathered anew for every birth. */
  birth(epoch: Epoch): Promise<Birth>
  onOrder(order: HeardOrder): void
}

/** A birth without a receipt is said again after so long, ms. */
const BIRTH_REPEAT_MS = 120_000

/** A session this long was one, ms. */
const STEADY_MS = 60_000

/**
 * The agent's end of the wire: connects, says birth, reconnects for ever, and hands on what parses.
 * Up means: connected, subscribed, and the birth is with the broker.
 */
export class DeviceLink {
  readonly #options: LinkOptions
  readonly #drops: Drops
  readonly #unpacker = new Unpacker()
  readonly #blockListeners = new Map<string, Set<(frame: BlockFrame) => void>>()
  readonly #connectListeners = new Set<() => void>()
  #connection: Connection | undefined
  #connections = 0
  /** A birth is being gathered: asking for another meanwhile changes nothing. */
  #saying = false
  /** Sessions in a row that came to nothing, or to little. */
  #failures = 0
  #upAt = 0
  #up = false
  #closed = false
  #retry: NodeJS.Timeout | undefined
  /** The birth that the planner has not confirmed, and when to say it again. */
  #unconfirmed: string | undefined
  #repeat: NodeJS.Timeout | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    this.#drops = new Drops(options.log)
  }

  get connected(): boolean {
    return this.#up
  }

  get epoch(): Epoch {
    return { start: this.#options.start, connection: this.#connections }
  }

  /** Messages dropped so far, by reason. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#drops.counts()
  }

  start(): void {
    if (this.#closed) return
    const { endpoint, fleet, device, answerMs = ANSWER_MS } = this.#options
    this.#connections += 1
    const connection = new Connection(
      { endpoint, fleet, device, epoch: this.epoch, answerMs },
      {
        onUp: () => void this.#sayBirth(connection),
        onMessage: (topic, payload) => this.#receive(topic, payload),
        onDown: (reason) => this.#down(reason),
      },
    )
    this.#connection = connection
  }

  /** Says birth again on the present connection: the planner asked for it. */
  async rebirth(): Promise<void> {
    if (!this.#connection || !this.#up || this.#saying) return
    await this.#sayBirth(this.#connection)
  }

  /** The planner has stored these messages; once the birth is among them it is not repeated. */
  confirmed(ids: readonly string[]): void {
    if (this.#unconfirmed !== undefined && ids.includes(this.#unconfirmed)) this.#stopRepeating()
  }

  want(want: Want): void {
    const said = printMessage('want', { ...want, packed: true })
    if (this.#up) void this.#connection?.publish('want', said)
  }

  /** True when the broker took it; whether the planner did, only a receipt tells. */
  async report(report: Report): Promise<boolean> {
    if (!this.#up || !this.#connection) return false
    return this.#connection.publish('reports', printMessage('reports', report))
  }

  /** One block of a captured sample; true when it left. Whether it came, the planner tells by asking on. */
  async sendSample(frame: Buffer): Promise<boolean> {
    if (!this.#up || !this.#connection) return false
    return this.#connection.publish('samples', frame)
  }

  onBlocks(artifact: string, listener: (frame: BlockFrame) => void): () => void {
    const prefix = framePrefix(artifact)
    const listeners = this.#blockListeners.get(prefix) ?? new Set()
    this.#blockListeners.set(prefix, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#blockListeners.delete(prefix)
      if (this.#blockListeners.size === 0) this.#unpacker.forget()
    }
  }

  onConnected(listener: () => void): () => void {
    this.#connectListeners.add(listener)
    return () => this.#connectListeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#up = false
    clearTimeout(this.#retry)
    this.#stopRepeating()
    await this.#connection?.leave()
  }

  async #sayBirth(connection: Connection): Promise<void> {
    this.#saying = true
    try {
      const birth = await this.#options.birth(this.epoch)
      if (connection !== this.#connection) return
      const taken = await connection.publish('birth', printMessage('birth', birth))
      if (!taken || this.#closed || connection !== this.#connection) return
      this.#repeatBirth(birth.id)
    } catch (error) {
      connection.drop(`cannot say birth: ${messageOf(error)}`)
      return
    } finally {
      this.#saying = false
    }
    if (this.#up) return
    this.#up = true
    this.#upAt = performance.now()
    this.#options.log.info({ broker: this.#options.endpoint.url, epoch: this.epoch }, 'connected')
    for (const listener of this.#connectListeners) listener()
  }

  /** A planner that was away hears of this device all the same, however it comes back. */
  #repeatBirth(id: string): void {
    this.#stopRepeating()
    this.#unconfirmed = id
    this.#repeat = setTimeout(() => void this.rebirth(), BIRTH_REPEAT_MS).unref()
  }

  #stopRepeating(): void {
    this.#unconfirmed = undefined
    clearTimeout(this.#repeat)
  }

  #down(reason: string): void {
    // Who is put out again and again, as by another machine with the same identity, comes back less and less often.
    if (this.#up && performance.now() - this.#upAt >= STEADY_MS) this.#failures = 0
    this.#up = false
    this.#stopRepeating()
    this.#connection = undefined
    if (this.#closed) return
    const pause = pauseMs(this.#failures, this.#options.backoff)
    this.#failures += 1
    this.#options.log.warn(
      { broker: this.#options.endpoint.url, pauseMs: pause },
      `no broker (${reason}); next attempt in ${(pause / 1000).toFixed(1)} s`,
    )
    this.#retry = setTimeout(() => this.start(), pause)
  }

  #receive(topic: string, payload: Uint8Array): void {
    const parsed = parseMessage(topic, payload)
    if (!parsed.ok) {
      this.#drops.count(parsed.refusal.code, parsed.refusal.message)
      return
    }
    const { message } = parsed
    if (message.channel === 'orders') this.#options.onOrder(message.payload)
    else if (message.channel === 'blocks') this.#receiveBlock(message.payload)
    else this.#drops.count('unexpected', `a ${message.channel}, which devices say and do not hear`)
  }

  #receiveBlock(frame: BlockFrame): void {
    const listeners = this.#blockListeners.get(frame.prefix)
    const name = `block ${frame.index} of ${frame.prefix}`
    if (!listeners) {
      this.#drops.count('unasked-block', name)
      return
    }
    const block = this.#unpacker.take(frame)
    if (block === 'spoiled') this.#drops.count('spoiled-block', name)
    else if (block !== 'incomplete') for (const listener of listeners) listener(block)
  }
}
