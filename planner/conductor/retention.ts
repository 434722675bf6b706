import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Db,
  KEPT_KINDS,
  type Keeping,
  type KeptKind,
  type Page,
  PRUNE,
  type Walk,
} from '../storage/index.ts'

export type Retention = Readonly<Record<KeptKind, Keeping>>

/** Five weeks of series, so that a month can be compared with the same days of the one before. */
export const DEFAULT_RETENTION: Retention = {
  reports: { days: 7, rows: 5_000_000 },
  probes: { days: 365, rows: Number.POSITIVE_INFINITY },
  members: { days: 90, rows: Number.POSITIVE_INFINITY },
  orders: { days: 90, rows: 5_000_000 },
  audit: { days: 730, rows: 2_000_000 },
  series: { days: 35, rows: Number.POSITIVE_INFINITY },
}

const DAY_MS = 86_400_000
/** Rows of one transaction: a millisecond or two. */
const PAGE = 200
/** Between two pages, in which whatever else there is goes first, ms. */
const PAUSE_MS = 10

export interface PruneOptions {
  readonly retention: Retention
  readonly now: Date
  readonly signal: AbortSignal
  /** Throws where somebody else does it by now. */
  readonly fence?: ((trx: Db) => Promise<void>) | undefined
  readonly pauseMs?: number
}

/**
 * Forgets what is older than it is kept, page by page with pauses in between: nobody waits for longer than for one page.
 * Answers how many rows went, of each kind.
 */
export async function prune(
  db: Db,
  { retention, now, signal, fence, pauseMs = PAUSE_MS }: PruneOptions,
): Promise<Readonly<Record<KeptKind, number>>> {
  const removed = { reports: 0, probes: 0, members: 0, orders: 0, audit: 0, series: 0 }
  for (const kind of KEPT_KINDS) {
    const { days, rows } = retention[kind]
    const before = new Date(now.getTime() - days * DAY_MS)
    let from: string | undefined = ''
    while (from !== undefined && !signal.aborted) {
      const walk: Walk = { before, rows, from, size: PAGE }
      const page: Page = await db.transaction().execute(async (trx) => {
        await fence?.(trx)
        return await PRUNE[kind](trx, walk)
      })
      removed[kind] += page.removed
      from = page.next
      if (pauseMs > 0) await sleep(pauseMs)
    }
  }
  return removed
}
