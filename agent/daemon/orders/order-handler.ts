import { AppError, messageOf } from '../../../shared/errors.ts'
import {
  engineWords,
  type HeardOrder,
  type LaterOrder,
  type OrderKind,
  type OrderOf,
  type ProbeOrder,
  type Report,
  type SaidProbe,
} from '../../../shared/messages/index.ts'
import { isOneOf } from '../../../shared/open-words.ts'
import { RUNTIME_NAMES, type RuntimeName } from '../../../shared/runtime/index.ts'
import { SerialQueue } from '../../../shared/serial-queue.ts'
import { TrustError } from '../../../shared/trust/index.ts'
import type { EngineName } from '../../engines/index.ts'
import type { SampleUploads } from '../../observe/index.ts'
import type { AgentContext } from '../agent-context.ts'
import { OrderRefused } from '../errors.ts'
import type { Installer } from '../install/installer.ts'
import type { Prober } from '../probes/prober.ts'
import {
  ackReport,
  installReport,
  probeReport,
  refusalOf,
  refusedReport,
  repeated,
} from '../reports.ts'
import { acceptanceOf } from './acceptance-of.ts'
import { requireAcceptable } from './admission.ts'
import { verifyAssignment } from './verify-assignment.ts'

export interface OrderHandlerOptions {
  readonly memoryLimitBytes: number | null
  readonly acceptsRuntimes?: boolean | undefined
  readonly installer: Installer
  readonly prober: Prober
  readonly uploads: SampleUploads
  rebirth(): void
  /** A receipt names births as well as reports. */
  confirmed(ids: readonly string[]): void
  /** Where a copy of the planner's artifacts lies, by its last word; undefined: nowhere. */
  copyLiesAt(url: string | undefined): void
}

type Handlers = { readonly [K in OrderKind]: (order: OrderOf<K>) => Promise<void> | void } & {
  readonly later: (order: LaterOrder) => void
}

/** Orders to which more is said than that they came: a repeat gets the same answer. */
const ANSWERED: ReadonlySet<HeardOrder['kind']> = new Set(['assign', 'probe', 'later'])

/** Probes that wait at most: a planner that orders more has lost count. */
const MAX_OPEN_PROBES = 256

/** Takes orders one after another, each at most once: what was answered is answered again, not done again. */
export class OrderHandler {
  readonly #context: AgentContext
  readonly #options: OrderHandlerOptions
  readonly #handlers: Handlers
  readonly #queue = new SerialQueue()

  constructor(context: AgentContext, options: OrderHandlerOptions) {
    this.#context = context
    this.#options = options
    this.#handlers = {
      assign: (order) => this.#assign(order),
      probe: (order) => this.#probe(order),
      receipt: ({ reports, artifacts }) => {
        options.copyLiesAt(artifacts)
        options.confirmed(reports)
        context.ledger.settle(reports)
      },
      rebirth: () => options.rebirth(),
      cancel: (order) => this.#cancel(order),
      collect: (order) => options.uploads.collect(order),
      collected: (order) => options.uploads.collected(order),
      later: (order) => this.#later(order),
    }
  }

  take(order: HeardOrder): void {
    void this.#queue.run(() => this.#handle(order))
  }

  /** Resolves when every order that was taken is durable or refused. */
  settled(): Promise<void> {
    return this.#queue.settled()
  }

  async #handle(order: HeardOrder): Promise<void> {
    const { log, leaving } = this.#context
    if (leaving.aborted) return
    try {
      const answers = this.#answersTo(order)
      if (answers) this.#context.ledger.commit('order.repeated', [], answers)
      // HANDLERS ties kind and order together, which the compiler cannot follow through an index.
      else await (this.#handlers[order.kind] as (order: HeardOrder) => Promise<void> | void)(order)
    } catch (error) {
      // Not acknowledged, so the planner says it again.
      log.error({ order: order.id, kind: order.kind }, `cannot take an order: ${messageOf(error)}`)
    }
  }

  /** What was said to this order before; `undefined` for an order that is new. */
  #answersTo(order: HeardOrder): Report[] | undefined {
    if (!ANSWERED.has(order.kind)) return undefined
    const { journal } = this.#context.ledger
    const now = this.#context.clock.now()
    const probe = journal.get('probe', order.id)
    const final = journal.get('ended', order.id) ?? journal.get('refused', order.id) ?? probe
    const running = [...journal.all('installation'), ...journal.all('queued')]
    if (!final && !running.some((job) => job.order === order.id)) return undefined
    const ack = ackReport(order.id, now)
    return final?.answer ? [ack, repeated(final.answer, now)] : [ack]
  }

  async #assign(order: OrderOf<'assign'>): Promise<void> {
    const { store, log, clock } = this.#context
    try {
      const assignment = await verifyAssignment(order, this.#context)
      requireAcceptable(assignment, acceptanceOf(this.#context, this.#options))
      const refusal = await store.refusal(assignment.artifact)
      if (refusal) throw refusal
      this.#options.installer.accept(order.id, assignment, order.windows)
    } catch (error) {
      if (!isRefusal(error)) throw error
      log.warn({ order: order.id, code: error.code }, `assignment refused: ${error.message}`)
      this.#refuse(
        order.id,
        installReport(order.id, order, 'refused', clock.now(), { error: refusalOf(error) }),
      )
    }
  }

  async #probe(order: OrderOf<'probe'>): Promise<void> {
    const { trust, store, log, clock } = this.#context
    try {
      const believed = this.#measurable(await trust.verifyProbe(order))
      const refusal = await store.refusal(believed.artifact)
      if (refusal) throw refusal
      this.#options.prober.accept(believed)
    } catch (error) {
      if (!isRefusal(error)) throw error
      log.warn({ order: order.id, code: error.code }, `probe refused: ${error.message}`)
      const result = { outcome: 'failed', error: refusalOf(error) } as const
      this.#refuse(order.id, probeReport(order, result, clock.now()))
    }
  }

  /** @throws OrderRefused */
  #measurable(said: SaidProbe): ProbeOrder {
    const { memoryLimitBytes, prober } = this.#options
    const { baseline, others, ...rest } = said
    const order = {
      ...rest,
      runtime: this.#runtimeHere(said),
      baseline: baseline && { ...baseline, runtime: this.#runtimeHere(baseline) },
      ...(others && {
        others: others.map((one) => ({ ...one, runtime: this.#runtimeHere(one) })),
      }),
    }
    if (memoryLimitBytes !== null && order.artifact.bytes > memoryLimitBytes) {
      throw new OrderRefused('memory-limit', 'has more bytes than this device may use memory')
    }
    if (prober.open < MAX_OPEN_PROBES) return order
    throw new OrderRefused('too-many-probes', `${MAX_OPEN_PROBES} probes wait here already`)
  }

  /** @throws OrderRefused */
  #runtimeHere({ runtime, accelerator = null }: EngineName): RuntimeName {
    const engine = this.#context.engines.find({ runtime, accelerator })
    if (engine !== undefined && isOneOf(RUNTIME_NAMES, runtime)) return runtime
    const name = engineWords(runtime, accelerator)
    throw new OrderRefused('wrong-runtime', `needs ${name}, which is not here`)
  }

  /** Said by a planner that is newer than this agent: it must not say it for ever. */
  #later({ id, said }: LaterOrder): void {
    const { log, clock } = this.#context
    const message = `this agent does not know orders of kind ${said}: update it`
    log.warn({ order: id, kind: said }, message)
    this.#refuse(id, refusedReport(id, { code: 'unknown-order', message }, clock.now()))
  }

  #cancel(order: OrderOf<'cancel'>): void {
    this.#options.prober.cancel(order.order)
    this.#context.ledger.commit(
      'order.cancelled',
      [],
      [ackReport(order.id, this.#context.clock.now())],
    )
  }

  #refuse(order: string, answer: Report): void {
    const { ledger, clock } = this.#context
    ledger.commit(
      'order.refused',
      [...ledger.oldestOver('refused'), { kind: 'refused', key: order, value: { order, answer } }],
      [ackReport(order, clock.now()), answer],
    )
  }
}

/** Troubles of our own disk are no answer to the planner: the order is not lost, it comes again. */
function isRefusal(error: unknown): error is AppError & { code: string } {
  if (error instanceof TrustError) return error.code !== 'trust-store'
  return error instanceof AppError && error.name !== 'JournalError'
}
