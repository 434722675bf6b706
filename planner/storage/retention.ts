import { sql } from 'kysely'
import { OPEN_STATES } from '../rollout/index.ts'
import type { Db } from './tables.ts'

/** How long rows of a kind are kept, and how many of them at most. */
export interface Keeping {
  readonly days: number
  /** Infinity: as many as there are. */
  readonly rows: number
}

/** What grows with time and is not needed for ever, oldest first to go. */
export const KEPT_KINDS = ['reports', 'probes', 'members', 'orders', 'audit', 'series'] as const
export type KeptKind = (typeof KEPT_KINDS)[number]

/** Of these, rows are counted: the others end by age alone. */
export const COUNTED_KINDS: ReadonlySet<KeptKind> = new Set(['reports', 'orders', 'audit'])

/** Where a walk through a table stands, and what it took; `next` undefined: at its end. */
export interface Page {
  readonly removed: number
  readonly next: string | undefined
}

export interface Walk {
  /** What is older goes. */
  readonly before: Date
  /** Rows beyond so many go, the oldest first. */
  readonly rows: number
  /** As the page before answered; empty: at the beginning. */
  readonly from: string
  /** Rows that are looked at. */
  readonly size: number
}

/**
 * One page of what is too old, looked at and removed: a few hundred rows in one short transaction, whatever there is. Only
 * indexes are walked, so that a table of millions is never read as a whole.
 */
export const PRUNE: Readonly<Record<KeptKind, (trx: Db, walk: Walk) => Promise<Page>>> = {
  /** Handled ones only tell duplicates: an agent's outbox is long empty by then. */
  async reports(trx, walk) {
    const rows = await trx
      .selectFrom('reports')
      .select(['seq', 'received_at as at', 'handled_at'])
      .where('seq', '>', Number(walk.from))
      .orderBy('seq')
      .limit(walk.size)
      .execute()
    const last = await newestSeq(trx, 'reports')
    const old = oldOf(rows, walk, last).filter(({ handled_at: handled }) => handled !== null)
    const seqs = old.map(({ seq }) => seq)
    if (seqs.length > 0) await trx.deleteFrom('reports').where('seq', 'in', seqs).execute()
    return pageOf(rows, walk, last, seqs.length)
  },

  /** A class's present round, and what no later round has measured again, stay: choices stand on them. */
  async probes(trx, { before, size }) {
    const rows = await trx
      .selectFrom('probes')
      .select('probes.id')
      .where('probes.state', 'in', ['measured', 'failed', 'lost', 'cancelled'])
      .where('probes.deadline', '<', before.toISOString())
      .where((q) =>
        q.not(
          q.exists(
            q
              .selectFrom('pipelines')
              .select('pipelines.model')
              .whereRef('pipelines.model', '=', 'probes.model')
              .whereRef('pipelines.class', '=', 'probes.class')
              .whereRef('pipelines.round', '<=', 'probes.round'),
          ),
        ),
      )
      .limit(size)
      .execute()
    const ids = rows.map(({ id }) => id)
    if (ids.length > 0) {
      await trx.deleteFrom('probe_rivals').where('probe', 'in', ids).execute()
      await trx.deleteFrom('probe_kinds').where('probe', 'in', ids).execute()
      await trx.deleteFrom('probes').where('id', 'in', ids).execute()
    }
    return { removed: ids.length, next: ids.length < size ? undefined : 'more' }
  },

  /** Places in rollouts that are over, of devices that a later rollout of the model took: the last place stays. */
  async members(trx, { before, from, size }) {
    const [rollout = '', device = ''] = from.split(' ')
    const rows = await trx
      .selectFrom('rollout_devices as m')
      .innerJoin('rollouts', 'rollouts.id', 'm.rollout')
      .select(['m.rollout', 'm.device', 'm.state', 'm.updated_at as at', 'rollouts.state as stage'])
      .select((q) =>
        q
          .selectFrom('rollout_devices as later')
          .innerJoin('rollouts as r', 'r.id', 'later.rollout')
          .select('later.rollout')
          .whereRef('later.device', '=', 'm.device')
          .whereRef('r.model_name', '=', 'rollouts.model_name')
          .whereRef('later.updated_at', '>', 'm.updated_at')
          .limit(1)
          .as('later'),
      )
      .where(sql<boolean>`(m.rollout, m.device) > (${rollout}, ${device})`)
      .orderBy('m.rollout')
      .orderBy('m.device')
      .limit(size)
      .execute()
    const old = rows.filter(
      (row) =>
        row.later !== null &&
        row.state !== 'reverting' &&
        new Date(row.at) < before &&
        !OPEN_STATES.some((state) => state === row.stage),
    )
    for (const row of old) {
      await trx
        .deleteFrom('rollout_devices')
        .where('rollout', '=', row.rollout)
        .where('device', '=', row.device)
        .execute()
    }
    const end = rows.at(-1)
    const isOver = end === undefined || rows.length < size
    return { removed: old.length, next: isOver ? undefined : `${end.rollout} ${end.device}` }
  },

  /** Those that are over, and are no device's present assignment. */
  async orders(trx, walk) {
    const rows = await trx
      .selectFrom('orders')
      .select(['seq', 'id', 'state', 'created_at as at', 'expires_at'])
      .select((q) =>
        q
          .selectFrom('rollout_devices')
          .select('rollout_devices.rollout')
          .whereRef('rollout_devices.order_id', '=', 'orders.id')
          .limit(1)
          .as('rollout'),
      )
      .where('seq', '>', Number(walk.from))
      .orderBy('seq')
      .limit(walk.size)
      .execute()
    const last = await newestSeq(trx, 'orders')
    const expired = (at: string | null) => at !== null && new Date(at) < walk.before
    const ids = oldOf(rows, walk, last)
      .filter((row) => row.rollout === null && (row.state === 'closed' || expired(row.expires_at)))
      .map(({ id }) => id)
    if (ids.length > 0) {
      await trx.deleteFrom('order_artifacts').where('order_id', 'in', ids).execute()
      await trx.deleteFrom('orders').where('id', 'in', ids).execute()
    }
    return pageOf(rows, walk, last, ids.length)
  },

  async audit(trx, walk) {
    const rows = await trx
      .selectFrom('audit')
      .select(['seq', 'at'])
      .where('seq', '>', Number(walk.from))
      .orderBy('seq')
      .limit(walk.size)
      .execute()
    const last = await newestSeq(trx, 'audit')
    const seqs = oldOf(rows, walk, last).map(({ seq }) => seq)
    if (seqs.length > 0) await trx.deleteFrom('audit').where('seq', 'in', seqs).execute()
    return pageOf(rows, walk, last, seqs.length)
  },

  /** How models did, by days. */
  async series(trx, { before, size }) {
    const day = before.toISOString().slice(0, 10)
    const rows = await trx
      .selectFrom('health_days')
      .select(['device', 'model_name', 'variant', 'day'])
      .where('day', '<', day)
      .limit(size)
      .execute()
    for (const row of rows) {
      await trx
        .deleteFrom('health_days')
        .where('device', '=', row.device)
        .where('model_name', '=', row.model_name)
        .where('variant', '=', row.variant)
        .where('day', '=', row.day)
        .execute()
    }
    return { removed: rows.length, next: rows.length < size ? undefined : 'more' }
  },
}

/** The counter hands out numbers in order, so that how far from the last one a row is says how many are newer. */
async function newestSeq(trx: Db, table: 'reports' | 'orders' | 'audit'): Promise<number> {
  const { rows } = await sql<{ last: number | null }>`
    select max(seq) as last from ${sql.table(table)}`.execute(trx)
  return Number(rows[0]?.last ?? 0)
}

interface SeqRow {
  readonly seq: number
  readonly at: string
}

function isOld({ seq, at }: SeqRow, { before, rows }: Walk, last: number): boolean {
  return new Date(at) < before || seq <= last - rows
}

function oldOf<T extends SeqRow>(all: readonly T[], walk: Walk, last: number): T[] {
  return all.filter((row) => isOld(row, walk, last))
}

/** Rows are in order of time: behind the first that is young enough, all are. */
function pageOf(all: readonly SeqRow[], walk: Walk, last: number, removed: number): Page {
  const end = all.at(-1)
  const isOver = all.length < walk.size || end === undefined || !isOld(end, walk, last)
  return { removed, next: isOver ? undefined : String(end.seq) }
}
