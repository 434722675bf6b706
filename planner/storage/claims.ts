import { type RawBuilder, sql } from 'kysely'
import type { Db } from './tables.ts'

/** A process that works on this database. */
export interface Member {
  readonly id: string
  /** Host and process, for people. */
  readonly name: string
  readonly role: string
  readonly version: string
  readonly fleet: string
  readonly anchor: string
}

/** Who holds it counts terms, so that one who held it before is told from one who holds it again. */
export interface Claim {
  readonly name: string
  readonly term: number
}

/** Leases go by the database's clock alone: those of the planners' machines may differ. PostgreSQL only, as all here; ms. */
const CLOCK = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`

export async function databaseTime(db: Db): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${CLOCK} as now`.execute(db)
  return rows[0]?.now ?? 0
}

/** It is there for so long from now on; whoever was forgotten meanwhile is there again, with nothing. */
export async function renewMember(db: Db, member: Member, ttlMs: number): Promise<void> {
  const until = sql<number>`${CLOCK} + ${ttlMs}`
  await db
    .insertInto('planners')
    .values({ ...member, started_at: CLOCK, until })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ until }))
    .execute()
}

export async function membersHere(db: Db): Promise<readonly Member[]> {
  return db
    .selectFrom('planners')
    .select(['id', 'name', 'role', 'version', 'fleet', 'anchor'])
    .where('until', '>', CLOCK)
    .orderBy('started_at')
    .execute()
}

/** All that it holds is free at once. */
export async function removeMember(db: Db, id: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.updateTable('claims').set({ holder: null }).where('holder', '=', id).execute()
    await trx.updateTable('jobs').set({ holder: null }).where('holder', '=', id).execute()
    await trx.deleteFrom('planners').where('id', '=', id).execute()
  })
}

/** Rows of those that are gone for so long. */
export async function forgetMembers(db: Db, goneMs: number): Promise<void> {
  await db.deleteFrom('planners').where('until', '<', sql<number>`${CLOCK} - ${goneMs}`).execute()
}

export async function ensureClaims(db: Db, names: readonly string[]): Promise<void> {
  await db
    .insertInto('claims')
    .values(names.map((name) => ({ name, holder: null, term: 0 })))
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}

export async function claimsOf(db: Db, holder: string): Promise<readonly Claim[]> {
  return db.selectFrom('claims').select(['name', 'term']).where('holder', '=', holder).execute()
}

/** Nobody's, or of somebody who is no longer there. */
export function isFree(table: 'claims' | 'jobs'): RawBuilder<boolean> {
  const holder = sql.ref(`${table}.holder`)
  return sql<boolean>`(${holder} is null or not exists (
    select 1 from planners where planners.id = ${holder} and planners.until > ${CLOCK}))`
}

/**
 * Takes up to so many free ones whose names begin so. Two that ask at once get different ones: rows under way are skipped,
 * and one that its last holder is committing under (`isHolding`) is not free before that ends.
 */
export async function takeClaims(
  db: Db,
  holder: string,
  prefix: string,
  most: number,
): Promise<void> {
  if (most <= 0) return
  const free = db
    .selectFrom('claims')
    .select('claims.name')
    .where('claims.name', 'like', `${prefix}%`)
    .where(isFree('claims'))
    .orderBy('claims.name')
    .limit(most)
    .forUpdate()
    .skipLocked()
  await db
    .updateTable('claims')
    .set((row) => ({ holder, term: row('term', '+', 1) }))
    .where('name', 'in', free)
    .execute()
}

export async function releaseClaims(
  db: Db,
  holder: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return
  await db
    .updateTable('claims')
    .set({ holder: null })
    .where('holder', '=', holder)
    .where('name', 'in', [...names])
    .execute()
}

/** Inside a transaction: true, and nobody else can take it before that has ended. */
export async function isHolding(trx: Db, holder: string, { name, term }: Claim): Promise<boolean> {
  const row = await trx
    .selectFrom('claims')
    .select('term')
    .where('name', '=', name)
    .where('holder', '=', holder)
    .where('term', '=', term)
    .forShare()
    .executeTakeFirst()
  return row !== undefined
}
