import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import type { Order } from '../../shared/messages/index.ts'
import type { FleetLimits } from './limits.ts'
import type { Turns } from './turns.ts'

/** Acknowledgements that are remembered until the outbox surely has them. */
const KEPT = 64

export interface OrderSenderContext {
  /** Unacknowledged orders without these, ready to be sent. */
  pending(except: readonly string[]): Promise<readonly Order[]>
  send(order: Order): Promise<void>
  /** Its turn among all devices: signing for thousands at once would hold thousands of orders. */
  readonly turns: Turns
  readonly limits: Pick<FleetLimits, 'retryMs' | 'longestRetryMs'>
  readonly log: Logger
}

/**
 * Sends a device's unacknowledged orders: a new one at once and once, and again only after a pause that doubles, until it
 * is acknowledged or the session ends. Orders are idempotent: one that is sent twice costs bytes and nothing else.
 */
export class OrderSender {
  readonly #context: OrderSenderContext
  /** Sent since the last pause, and not acknowledged. */
  readonly #sent = new Set<string>()
  /** Acknowledged a moment ago: that may not be in the outbox yet. */
  readonly #acknowledged = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #pauseMs: number
  #running = false
  #again = false
  #stopped = true

  constructor(context: OrderSenderContext) {
    this.#context = context
    this.#pauseMs = context.limits.retryMs
  }

  /** A session began: what was sent in an older one may be lost. */
  begin(): void {
    this.#sent.clear()
    this.#acknowledged.clear()
    this.nudge()
  }

  /** There may be something to send: now, and with short pauses again. */
  nudge(): void {
    this.#stopped = false
    this.#pauseMs = this.#context.limits.retryMs
    if (this.#running) this.#again = true
    else void this.#run()
  }

  /** The device has it. With the last one nothing is left to ask the database for. */
  acknowledged(order: string): void {
    if (!this.#sent.delete(order)) return
    this.#acknowledged.add(order)
    if (this.#acknowledged.size > KEPT) this.#acknowledged.delete([...this.#acknowledged][0] ?? '')
    if (this.#sent.size > 0 || this.#running) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #run(): Promise<void> {
    this.#running = true
    do {
      this.#again = false
      await this.#context.turns.take(() => this.#sendAll())
    } while (this.#again && !this.#stopped)
    this.#running = false
    if (this.#sent.size > 0 && !this.#stopped && this.#timer === undefined) this.#scheduleNext()
  }

  async #sendAll(): Promise<void> {
    try {
      for (const order of await this.#context.pending([...this.#sent, ...this.#acknowledged])) {
        if (this.#stopped) return
        this.#sent.add(order.id)
        await this.#context.send(order)
      }
    } catch (error) {
      this.#context.log.debug({ reason: messageOf(error) }, 'orders are sent later')
      // Whatever it was, a pause later it is asked for once more.
      if (this.#timer === undefined && !this.#stopped) this.#scheduleNext()
    }
  }

  #scheduleNext(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#sent.clear()
      if (this.#running) this.#again = true
      else void this.#run()
    }, this.#pauseMs)
    this.#timer.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#context.limits.longestRetryMs)
  }
}
