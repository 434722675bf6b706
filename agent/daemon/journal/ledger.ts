import type { Report } from '../../../shared/messages/index.ts'
import type { Log, Outbox } from '../../link/index.ts'
import type { CommitName } from './commit-names.ts'
import type { Journal } from './journal.ts'
import type { Change } from './journal-tables.ts'

/** Answers to orders that ended, kept for orders that come again. */
const ANSWERS_KEPT = 128

/**
 * What is done and what is told about it are one write: a report can neither get lost in a power cut
 * nor tell of something that did not become durable.
 */
export class Ledger {
  readonly journal: Journal
  readonly #outbox: Outbox
  readonly #log: Log

  constructor(journal: Journal, outbox: Outbox, log: Log) {
    this.journal = journal
    this.#outbox = outbox
    this.#log = log
  }

  /** @throws JournalError; then nothing was done and nothing will be told */
  commit(name: CommitName, changes: readonly Change[], reports: readonly Report[] = []): void {
    const told = reports.map(
      (report): Change => ({ kind: 'report', key: report.id, value: report }),
    )
    this.journal.commit(name, [...changes, ...told])
    for (const report of reports) {
      const dropped = this.#outbox.add(report)
      if (!dropped) continue
      this.#log.warn({ report: dropped.id, kind: dropped.kind }, 'outbox full: dropped a report')
      this.journal.commit('report.dropped', [{ kind: 'report', key: dropped.id }])
    }
  }

  /** Drops the oldest answers of a kind, so that with one more there are no more than are kept. */
  oldestOver(kind: 'ended' | 'refused'): Change[] {
    const keys = this.journal.keys(kind)
    return keys.slice(0, Math.max(0, keys.length + 1 - ANSWERS_KEPT)).map((key) => ({ kind, key }))
  }

  /** The planner has stored these reports. */
  settle(ids: readonly string[]): void {
    const settled = this.#outbox.settle(ids)
    if (settled.length === 0) return
    this.journal.commit(
      'report.settled',
      settled.map((key) => ({ kind: 'report', key })),
    )
  }
}
