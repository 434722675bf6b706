import type { Db } from './tables.ts'

const WHOSE = 'planner'

export interface SeenClock {
  /** The latest look at the clock. */
  readonly seenAt: Date
  /** It said as late as this, was set back, and devices that heard it have not been told otherwise yet. */
  readonly ahead: { readonly until: Date; readonly noticedAt: Date } | null
}

/** `undefined` before the first look. */
export async function seenClock(db: Db): Promise<SeenClock | undefined> {
  const row = await db
    .selectFrom('clocks')
    .selectAll()
    .where('whose', '=', WHOSE)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { seen_at, ahead_until: until, noticed_at: noticed } = row
  const ahead =
    until === null || noticed === null
      ? null
      : { until: new Date(until), noticedAt: new Date(noticed) }
  return { seenAt: new Date(seen_at), ahead }
}

export async function noteSeen(db: Db, now: Date): Promise<void> {
  const seen_at = now.toISOString()
  await db
    .insertInto('clocks')
    .values({ whose: WHOSE, seen_at, ahead_until: null, noticed_at: null })
    .onConflict((conflict) => conflict.column('whose').doUpdateSet({ seen_at }))
    .execute()
}

/** The latest it ever said counts, until `forgetAhead`. */
export async function noteAhead(db: Db, until: Date, now: Date): Promise<void> {
  const known = (await seenClock(db))?.ahead?.until
  const latest = known !== undefined && known > until ? known : until
  await noteSeen(db, now)
  await db
    .updateTable('clocks')
    .set({ ahead_until: latest.toISOString(), noticed_at: now.toISOString() })
    .where('whose', '=', WHOSE)
    .execute()
}

export async function forgetAhead(db: Db): Promise<void> {
  await db.updateTable('clocks').set({ ahead_until: null, noticed_at: null }).execute()
}

const RESTORED = 'restored'

/** The data came back from a backup. */
export async function noteRestored(db: Db, at: Date): Promise<void> {
  const seen_at = at.toISOString()
  await db
    .insertInto('clocks')
    .values({ whose: RESTORED, seen_at, ahead_until: null, noticed_at: null })
    .onConflict((conflict) => conflict.column('whose').doUpdateSet({ seen_at }))
    .execute()
}

/** What every release counter is above: seconds of the last restore, as counters that follow the clock count; 0: there was none. */
export async function releaseCounterFloor(db: Db): Promise<number> {
  const row = await db
    .selectFrom('clocks')
    .select('seen_at')
    .where('whose', '=', RESTORED)
    .executeTakeFirst()
  return row === undefined ? 0 : Math.floor(new Date(row.seen_at).getTime() / 1000)
}
