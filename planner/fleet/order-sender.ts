import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import type { Order } from '../../shared/messages/index.ts'
import type { FleetLimits } from './limits.ts'

export interface OrderSenderContext {
  pending(): Promise<readonly Order[]>
  send(order: Order): Promise<void>
  readonly limits: Pick<FleetLimits, 'retryMs' | 'longestRetryMs'>
  readonly log: Logger
}

/**
 * Sends a device's unacknowledged orders, and again after a pause that doubles, until none is left or
 * the session ends. Orders are idempotent: sending one twice costs bytes and nothing else.
 */
export class OrderSender {
  readonly #context: OrderSenderContext
  #timer: NodeJS.Timeout | undefined
  #pauseMs: number
  #running = false
  #again = false
  #stopped = true

  constructor(context: OrderSenderContext) {
    this.#context = context
    this.#pauseMs = context.limits.retryMs
  }

  /** There may be something to send: now, and with short pauses again. */
  nudge(): void {
    this.#stopped = false
    this.#pauseMs = this.#context.limits.retryMs
    if (this.#running) this.#again = true
    else void this.#run()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    this.#running = true
    clearTimeout(this.#timer)
    let isSettled = false
    do {
      this.#again = false
      isSettled = await this.#sendAll()
    } while (this.#again && !this.#stopped)
    this.#running = false
    if (!isSettled && !this.#stopped) this.#scheduleNext()
  }

  /** True when the device owes no acknowledgement. */
  async #sendAll(): Promise<boolean> {
    try {
      const orders = await this.#context.pending()
      for (const order of orders) {
        if (this.#stopped) return false
        await this.#context.send(order)
      }
      return orders.length === 0
    } catch (error) {
      this.#context.log.debug({ reason: messageOf(error) }, 'orders are sent later')
      return false
    }
  }

  #scheduleNext(): void {
    this.#timer = setTimeout(() => void this.#run(), this.#pauseMs)
    this.#timer.unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#context.limits.longestRetryMs)
  }
}
