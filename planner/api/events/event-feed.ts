import { randomBytes } from 'node:crypto'
import type { ConductorContext } from '../../conductor/index.ts'
import { events } from '../../storage/index.ts'
import { Gathering, type MovedKind } from './gathering.ts'
import { movedBy } from './moved-by.ts'

/** A batch of what moved, as it is sent. */
export interface FeedEvent {
  /** `<start of the planner>-<number>` */
  readonly id: string
  readonly kind: MovedKind
  /** JSON without line breaks. */
  readonly data: string
}

export interface FeedListener {
  event(event: FeedEvent): void
  end(): void
}

/** What moves faster is told together. */
const GATHER_MS = 250
/** How often the audit is looked at for what an operator or a device did. */
const AUDIT_MS = 1_000
const MOST_ENTRIES = 500
/** What a reader who comes back may have missed; who was away longer loads all anew. */
const MOST_KEPT = 1024
const MOST_KEPT_CHARACTERS = 1024 * 1024

/**
 * What moves in the fleet, for pages that show it: which devices, plans, rollouts and alarms, not what became of them. It
 * is bounded whatever happens: of one kind at most a hundred names go into a batch, and four batches a second go out.
 */
export class EventFeed {
  readonly #context: ConductorContext
  readonly #boot = randomBytes(4).toString('hex')
  readonly #gathering: Gathering
  readonly #listeners = new Set<FeedListener>()
  readonly #kept: FeedEvent[] = []
  #keptCharacters = 0
  #number = 0
  #auditSeq = 0
  #timer: NodeJS.Timeout | undefined
  #auditTimer: NodeJS.Timeout | undefined
  #stops: (() => void)[] = []
  #isClosed = false

  constructor(context: ConductorContext) {
    this.#context = context
    this.#gathering = new Gathering(context.db)
  }

  /** From here on it sees what moves. */
  async start(): Promise<void> {
    const { agenda, progress, db } = this.#context
    this.#auditSeq = await events.lastAuditSeq(db)
    this.#stops = [
      agenda.watch({
        device: (device) => this.#add('devices', { device }),
        pipeline: (name) => this.#add('plans', { ...name }),
        rollout: (rollout) => this.#add('rollouts', { rollout }),
      }),
      progress.listen((event) => this.#add('progress', { ...event })),
    ]
    this.#lookAgain()
  }

  /** Events behind this one; undefined where it is none of this feed any more. */
  since(id: string): readonly FeedEvent[] | undefined {
    const [boot, text] = id.split('-')
    const number = Number(text)
    if (boot !== this.#boot || !Number.isInteger(number) || number > this.#number) return undefined
    const oldest = this.#number - this.#kept.length
    return number < oldest ? undefined : this.#kept.slice(number - oldest)
  }

  /** Who listens now. */
  get readers(): number {
    return this.#listeners.size
  }

  /** What is returned ends it. */
  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#auditTimer)
    for (const stop of this.#stops) stop()
    for (const listener of [...this.#listeners]) listener.end()
    this.#listeners.clear()
  }

  #add(kind: MovedKind, item: Readonly<Record<string, unknown>>): void {
    this.#gathering.add(kind, item)
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => void this.#flush(), GATHER_MS).unref()
  }

  async #flush(): Promise<void> {
    try {
      for (const { kind, data } of await this.#gathering.take()) this.#publish(kind, data)
    } catch (error) {
      // Pages load anew now and then; what this batch would have told them they see then.
      this.#context.log.warn({ error }, 'what moved could not be told to open pages')
    } finally {
      this.#timer = undefined
      if (!this.#gathering.isEmpty && !this.#isClosed) {
        this.#timer = setTimeout(() => void this.#flush(), GATHER_MS).unref()
      }
    }
  }

  #publish(kind: MovedKind, data: string): void {
    this.#number += 1
    const event = { id: `${this.#boot}-${this.#number}`, kind, data }
    this.#kept.push(event)
    this.#keptCharacters += data.length
    while (this.#kept.length > MOST_KEPT || this.#keptCharacters > MOST_KEPT_CHARACTERS) {
      this.#keptCharacters -= this.#kept.shift()?.data.length ?? 0
    }
    for (const listener of [...this.#listeners]) listener.event(event)
  }

  #lookAgain(): void {
    if (this.#isClosed) return
    this.#auditTimer = setTimeout(() => {
      void this.#lookIntoAudit()
        .catch(() => {})
        .then(() => this.#lookAgain())
    }, AUDIT_MS).unref()
  }

  async #lookIntoAudit(): Promise<void> {
    const entries = await events.auditAfter(this.#context.db, this.#auditSeq, MOST_ENTRIES)
    for (const entry of entries) {
      this.#auditSeq = entry.seq
      for (const { kind, item } of movedBy(entry)) this.#add(kind, item)
    }
  }
}
