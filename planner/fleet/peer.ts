import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { newId } from '../../shared/ids.ts'
import type { Birth, Death, Epoch, HeardReport, Order, Want } from '../../shared/messages/index.ts'
import { printMessage } from '../../shared/messages/index.ts'
import { TokenBucket } from '../../shared/token-bucket.ts'
import type { BlockServer } from './block-server.ts'
import type { AgentMessage } from './connection.ts'
import { Doubles } from './doubles.ts'
import type { FleetLimits } from './limits.ts'
import { Mailbox, type Manner } from './mailbox.ts'
import { OrderSender } from './order-sender.ts'
import { SampleCollector } from './sample-collector.ts'
import type { Awaiting, FleetStore, SampleDesk } from './store.ts'
import type { Turns } from './turns.ts'

/** Reports that one receipt order names at most. */
const RECEIPT_REPORTS = 256
/** Kinds of reports that are unknown here and told of, each once: a device may make them up. */
const LATER_KINDS = 8

export interface PeerContext {
  readonly store: FleetStore
  readonly samples: SampleDesk | undefined
  readonly collecting: Turns
  readonly blocks: BlockServer
  readonly limits: FleetLimits
  readonly signing: Turns
  readonly sending: Turns
  readonly log: Logger
  /** Monotonic ms. */
  readonly now: () => number
  /** Where a copy of the artifacts lies. */
  readonly artifactsUrl: string | undefined
  readonly sendOrder: (device: string, bytes: Uint8Array) => Promise<void>
}

/**
 * `unknown`: no birth seen since the link came up, so the device is asked for one.
 * `ended`: its death was seen; the next word is the device's.
 */
type Session = Epoch | 'unknown' | 'ended'

/**
 * One device as this end sees it. What must not be lost is in the store before it is answered. Of thousands most say a birth
 * and nothing else for hours, so what only some need is made when they do.
 */
export class Peer {
  readonly #device: string
  readonly #context: PeerContext
  readonly #mailbox: Mailbox
  readonly #recorded: TokenBucket
  readonly #doubles: Doubles
  #ownLog: Logger | undefined
  #orders: OrderSender | undefined
  #collector: SampleCollector | undefined
  #garbage: TokenBucket | undefined
  #rebirths: TokenBucket | undefined
  #laterKinds: Set<string> | undefined
  #received: string[] = []
  #session: Session = 'unknown'
  /** Since the birth that is being stored came. */
  #isNudged = false

  constructor(device: string, context: PeerContext) {
    const { limits, now } = context
    this.#device = device
    this.#context = context
    this.#mailbox = new Mailbox(limits.mailbox, (error) =>
      this.#log.error({ reason: messageOf(error) }, 'cannot store a message'),
    )
    this.#recorded = new TokenBucket(limits.reportBurst, limits.reportIntervalMs, now)
    this.#doubles = new Doubles(now)
  }

  /** It said all that it may say by now: what comes is dropped, and comes again. Ask once for each message that is no want. */
  isOver(): boolean {
    if (this.#recorded.take()) return false
    this.#log.debug('too many messages: dropped one')
    return true
  }

  get isHere(): boolean {
    return typeof this.#session !== 'string'
  }

  take(message: AgentMessage): void {
    if (message.channel === 'want') this.#takeWant(message.payload)
    // Of whom nothing was asked, nothing is taken.
    else if (message.channel === 'samples') this.#collector?.take(message.payload)
    // Reports are stored in the order in which they begin; a birth or a death is before or after all of them.
    else if (message.channel === 'reports')
      this.#post('together', () => this.#takeReport(message.payload))
    else if (message.channel === 'birth')
      this.#post('alone', () => this.#takeBirth(message.payload))
    else this.#post('alone', () => this.#takeDeath(message.payload))
  }

  takeGarbage(channel: string, reason: string): void {
    const { limits, now } = this.#context
    this.#garbage ??= new TokenBucket(limits.garbageBurst, limits.garbageIntervalMs, now)
    if (!this.#garbage.take()) return
    this.#log.warn({ channel, reason }, 'garbage')
    this.#post('alone', () => this.#context.store.recordGarbage(this.#device, channel, reason))
  }

  nudge(): void {
    this.#isNudged = true
    if (this.#session === 'unknown') this.askBirth()
    else if (this.#session !== 'ended') {
      this.#ordersOf().nudge()
      this.#collectorOf()?.nudge()
    }
  }

  askBirth(): void {
    const { limits, now } = this.#context
    this.#rebirths ??= new TokenBucket(1, limits.rebirthMs, now)
    if (!this.#rebirths.take()) return
    this.#send({ v: 1, id: newId(), kind: 'rebirth' }).catch((error) => {
      this.#log.debug({ reason: messageOf(error) }, 'cannot ask for a birth')
    })
  }

  /** The link is down: what the device says now is missed. */
  forgetSession(): void {
    this.#endSession('unknown')
  }

  async close(): Promise<void> {
    this.#endSession('ended')
    await this.#mailbox.idle()
  }

  get #log(): Logger {
    this.#ownLog ??= this.#context.log.child({ device: this.#device })
    return this.#ownLog
  }

  #ordersOf(): OrderSender {
    const { store, signing, sending, limits } = this.#context
    this.#orders ??= new OrderSender({
      pending: (except) => store.pendingOrders(this.#device, except),
      send: (order) => this.#send(order),
      ...{ signing, sending, limits, log: this.#log },
    })
    return this.#orders
  }

  #collectorOf(): SampleCollector | undefined {
    const { samples: desk, collecting: turns, limits } = this.#context
    if (!desk) return undefined
    this.#collector ??= new SampleCollector({
      ...{ device: this.#device, desk, turns, limits, log: this.#log },
      send: (order) => this.#send(order),
      onGarbage: (reason) => this.takeGarbage('samples', reason),
    })
    return this.#collector
  }

  async #takeBirth(birth: Birth): Promise<void> {
    if (isOlder(birth.epoch, this.#session)) {
      this.#receive(birth.id)
      return
    }
    this.#isNudged = false
    const awaiting = await this.#context.store.recordBirth(this.#device, birth)
    if (this.#doubles.take(birth.epoch.start)) await this.#noteDouble()
    this.#receive(birth.id)
    this.#begin(birth.epoch, awaiting)
  }

  /** What came since the birth was stored, it does not know of: then there was a nudge. */
  #begin(epoch: Epoch, { orders, samples }: Awaiting): void {
    // Said again on the same connection, nothing of it was lost.
    const isSameSession = isSame(epoch, this.#session)
    this.#session = epoch
    if (!isSameSession) this.#orders?.forget()
    if (orders || this.#isNudged) this.#ordersOf().nudge()
    if (samples || this.#isNudged) this.#collectorOf()?.begin()
  }

  async #noteDouble(): Promise<void> {
    this.#log.error(
      `two machines use the identity of ${this.#device}, as a copied disk or state directory makes them: stop one, and let it join under a name of its own`,
    )
    await this.#context.store.recordDouble(this.#device)
  }

  async #takeDeath({ epoch }: Death): Promise<void> {
    await this.#context.store.recordDeath(this.#device, epoch)
    if (isSame(epoch, this.#session)) this.#endSession('ended')
  }

  async #takeReport(report: HeardReport): Promise<void> {
    // Of a newer agent: with a receipt it is said once, and not for ever.
    if (report.kind === 'later') this.#noteLater(report.said)
    else {
      await this.#context.store.recordReport(this.#device, report)
      if (report.kind === 'ack') this.#orders?.acknowledged(report.order)
    }
    this.#receive(report.id)
    this.#askIfUnknown()
  }

  #noteLater(kind: string): void {
    this.#laterKinds ??= new Set()
    if (this.#laterKinds.has(kind) || this.#laterKinds.size >= LATER_KINDS) return
    this.#laterKinds.add(kind)
    this.#log.warn({ kind }, 'reports of a kind this planner does not know: update it')
  }

  #takeWant(want: Want): void {
    this.#context.blocks.want(this.#device, want)
    this.#askIfUnknown()
  }

  /** Whoever talks is there, whatever was heard of its end. */
  #askIfUnknown(): void {
    if (typeof this.#session === 'string') this.askBirth()
  }

  #endSession(session: 'unknown' | 'ended'): void {
    this.#session = session
    this.#orders?.stop()
    this.#collector?.stop()
    this.#context.blocks.cancel(this.#device)
  }

  /** It is stored. What one commit stored is named in one receipt. */
  #receive(id: string): void {
    if (this.#received.push(id) === 1) setImmediate(() => this.#sendReceipts())
    if (this.#received.length >= RECEIPT_REPORTS) this.#sendReceipts()
  }

  #sendReceipts(): void {
    if (this.#received.length === 0) return
    const reports = this.#received
    this.#received = []
    const { artifactsUrl: artifacts } = this.#context
    const order = {
      v: 1,
      id: newId(),
      kind: 'receipt',
      reports,
      ...(artifacts && { artifacts }),
    } as const
    this.#send(order).catch((error) => {
      // The reports come again, and the receipt with them.
      this.#log.debug({ reason: messageOf(error) }, 'cannot send a receipt')
    })
  }

  #send(order: Order): Promise<void> {
    return this.#context.sendOrder(this.#device, printMessage('orders', order))
  }

  #post(manner: Manner, task: () => Promise<void>): void {
    if (!this.#mailbox.post(manner, task)) this.#log.debug('mailbox full: dropped a message')
  }
}

function isSame(epoch: Epoch, session: Session): boolean {
  return (
    typeof session !== 'string' &&
    epoch.start === session.start &&
    epoch.connection === session.connection
  )
}

/** Starts of an agent are random, so only connections of one start have an order. */
function isOlder(epoch: Epoch, session: Session): boolean {
  return (
    typeof session !== 'string' &&
    epoch.start === session.start &&
    epoch.connection < session.connection
  )
}
