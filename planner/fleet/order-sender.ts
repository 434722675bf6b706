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
  readonly signing: Turns
  /** The same until its socket has taken them, of many more: devices that do not read hold up none that do. */
  readonly sending: Turns
  readonly limits: Pick<FleetLimits, 'retryMs' | 'longestRetryMs'>
  readonly log: Logger
}

interface Pause {
  /** Monotonic ms. */
  readonly endsAt: number
  readonly ms: number
}

/**
 * Sends a device's unacknowledged orders: a new one at once and once, and each again only after a pause of its own that
 * doubles, until it is acknowledged or the session ends. Orders are idempotent: one that is sent twice costs bytes and
 * nothing else.
 */
export class OrderSender {
  readonly #context: OrderSenderContext
  /** Sent, and not acknowledged. */
  readonly #sent = new Map<string, Pause>()
  /** Acknowledged a moment ago: that may not be in the outbox yet. */
  readonly #acknowledged = new Set<string>()
  /** After orders that could not be asked for. */
  #failed: Pause | undefined
  #timer: NodeJS.Timeout | undefined
  #running = false
  #again = false
  #stopped = true

  constructor(context: OrderSenderContext) {
    this.#context = context
  }

  /** A session began: what was sent in an older one may be lost. */
  begin(): void {
    this.forget()
    this.nudge()
  }

  /** The same where nothing waits: for whom nothing was sent, nobody asks. */
  forget(): void {
    this.#sent.clear()
    this.#acknowledged.clear()
    this.#failed = undefined
    clearTimeout(this.#timer)
  }

  /** There may be something new to send. */
  nudge(): void {
    this.#stopped = false
    if (this.#running) this.#again = true
    else void this.#run()
  }

  /** The device has it. With the last one nothing is left to ask the database for. */
  acknowledged(order: string): void {
    if (!this.#sent.delete(order)) return
    this.#acknowledged.add(order)
    if (this.#acknowledged.size > KEPT) this.#acknowledged.delete([...this.#acknowledged][0] ?? '')
    if (!this.#running) this.#scheduleNext()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    this.#running = true
    do {
      this.#again = false
      await this.#context.sending.take(() => this.#sendAll())
    } while (this.#again && !this.#stopped)
    this.#running = false
    this.#scheduleNext()
  }

  async #sendAll(): Promise<void> {
    const { signing, pending, send, log } = this.#context
    try {
      const now = performance.now()
      const due = new Set([...this.#sent].flatMap(([id, { endsAt }]) => (endsAt <= now ? id : [])))
      const waiting = [...this.#sent.keys()].filter((id) => !due.has(id))
      const except = [...waiting, ...this.#acknowledged]
      for (const order of await signing.take(() => pending(except))) {
        if (this.#stopped) return
        if (this.#acknowledged.has(order.id)) continue
        this.#sent.set(order.id, this.#nextPause(this.#sent.get(order.id)))
        due.delete(order.id)
        await send(order)
      }
      // Neither sent again nor acknowledged: the outbox has them no more.
      for (const id of due) this.#sent.delete(id)
      this.#failed = undefined
    } catch (error) {
      log.debug({ reason: messageOf(error) }, 'orders are sent later')
      this.#failed = this.#nextPause(this.#failed)
    }
  }

  #nextPause(last: Pause | undefined): Pause {
    const { retryMs, longestRetryMs } = this.#context.limits
    const ms = last === undefined ? retryMs : Math.min(2 * last.ms, longestRetryMs)
    return { ms, endsAt: performance.now() + ms }
  }

  /** Wakes when the first pause is over, if there is one. */
  #scheduleNext(): void {
    clearTimeout(this.#timer)
    const pauses = this.#failed ? [this.#failed] : [...this.#sent.values()]
    if (this.#stopped || pauses.length === 0) return
    const endsAt = Math.min(...pauses.map((pause) => pause.endsAt))
    // A timer may fire a fraction before its time.
    const restMs = Math.max(1, Math.ceil(endsAt - performance.now()))
    this.#timer = setTimeout(() => this.nudge(), restMs)
    this.#timer.unref()
  }
}
