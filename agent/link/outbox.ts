import type { Report } from '../../shared/messages/index.ts'

/** Reports that wait for a receipt at most; past it the least important and oldest goes. */
export const MAX_PENDING_REPORTS = 512
const TICK_MS = 5_000
const FIRST_REPEAT_MS = 30_000
const LAST_REPEAT_MS = 600_000

interface Pending {
  readonly report: Report
  sentAt: number | undefined
  repeatMs: number
}

export interface OutboxOptions {
  /** Reports of an earlier run that the planner has not confirmed. */
  readonly pending: Iterable<Report>
  send(report: Report): Promise<boolean>
  /** Monotonic ms. */
  readonly monotonic: () => number
}

/**
 * Reports until the planner says it has stored them: sent in order, again after every reconnect, and
 * again after a while without an answer. Their durability is the journal's; ids make repeats harmless.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #pending = new Map<string, Pending>()
  #timer: NodeJS.Timeout | undefined
  #up = false

  constructor(options: OutboxOptions) {
    this.#options = options
    for (const report of options.pending) this.#pending.set(report.id, fresh(report))
  }

  get size(): number {
    return this.#pending.size
  }

  /** Whether a report like that still waits. */
  some(like: (report: Report) => boolean): boolean {
    return [...this.#pending.values()].some(({ report }) => like(report))
  }

  /** Answers the report that had to go to make room, if one had. */
  add(report: Report): Report | undefined {
    const dropped = this.#pending.size >= MAX_PENDING_REPORTS ? this.#leastImportant() : undefined
    if (dropped) this.#pending.delete(dropped.id)
    const entry = fresh(report)
    this.#pending.set(report.id, entry)
    if (this.#up) void this.#send(entry)
    return dropped
  }

  /** The planner has these. Answers those that were waiting. */
  settle(ids: readonly string[]): string[] {
    return ids.filter((id) => this.#pending.delete(id))
  }

  /** A new connection: everything unconfirmed goes out again. */
  connected(): void {
    this.#up = true
    this.#timer ??= setInterval(() => this.#repeat(), TICK_MS).unref()
    for (const entry of this.#pending.values()) {
      entry.repeatMs = FIRST_REPEAT_MS
      void this.#send(entry)
    }
  }

  close(): void {
    this.#up = false
    clearInterval(this.#timer)
  }

  #repeat(): void {
    const now = this.#options.monotonic()
    for (const entry of this.#pending.values()) {
      if (entry.sentAt === undefined || now - entry.sentAt < entry.repeatMs) continue
      entry.repeatMs = Math.min(LAST_REPEAT_MS, entry.repeatMs * 2)
      void this.#send(entry)
    }
  }

  async #send(entry: Pending): Promise<void> {
    entry.sentAt = this.#options.monotonic()
    await this.#options.send(entry.report)
  }

  #leastImportant(): Report | undefined {
    const reports = [...this.#pending.values()].map(({ report }) => report)
    return reports.find((report) => !isFinal(report)) ?? reports[0]
  }
}

/** States after which nothing follows: the planner cannot do without them. */
const FINAL_STATES: ReadonlySet<string> = new Set(['active', 'rolled-back', 'refused', 'failed'])

function isFinal(report: Report): boolean {
  if (report.kind === 'ack' || report.kind === 'observations') return false
  return report.kind !== 'install' || FINAL_STATES.has(report.state)
}

function fresh(report: Report): Pending {
  return { report, sentAt: undefined, repeatMs: FIRST_REPEAT_MS }
}
