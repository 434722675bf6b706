import { z } from 'zod'
import { isFree } from './claims.ts'
import { readKnown } from './json.ts'
import type { Db } from './tables.ts'

const kindSchema = z.enum(['build', 'evaluate'])
export type StoredJobKind = z.infer<typeof kindSchema>

/** A piece of heavy work that any of several processes may do. */
export interface StoredJob {
  readonly id: string
  readonly kind: StoredJobKind
  /** Revision of the model. */
  readonly model: string
  readonly variant: string
  readonly attempts: number
}

/** Asking twice for the same is asking once. */
export async function addJob(db: Db, job: Omit<StoredJob, 'attempts'>): Promise<void> {
  await db
    .insertInto('jobs')
    .values({ ...job, holder: null, attempts: 0 })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

/** The oldest that nobody does, or this one; PostgreSQL only: two that ask at once get different ones. */
export async function takeJob(db: Db, holder: string, id?: string): Promise<StoredJob | undefined> {
  const free = db
    .selectFrom('jobs')
    .select('jobs.seq')
    .where(isFree('jobs'))
    .$if(id !== undefined, (query) => query.where('jobs.id', '=', id ?? ''))
    .orderBy('jobs.seq')
    .limit(1)
    .forUpdate()
    .skipLocked()
  const row = await db
    .updateTable('jobs')
    .set((one) => ({ holder, attempts: one('attempts', '+', 1) }))
    .where('seq', 'in', free)
    .returning(['id', 'kind', 'model', 'variant', 'attempts'])
    .executeTakeFirst()
  const kind = row && readKnown(kindSchema, row.kind)
  return row && kind && { ...row, kind }
}

export async function hasJob(db: Db, id: string): Promise<boolean> {
  const row = await db.selectFrom('jobs').select('seq').where('id', '=', id).executeTakeFirst()
  return row !== undefined
}

/** Inside a transaction: it is still this one's, and nobody takes it before that has ended. */
export async function isDoing(trx: Db, holder: string, id: string): Promise<boolean> {
  const row = await trx
    .selectFrom('jobs')
    .select('seq')
    .where('id', '=', id)
    .where('holder', '=', holder)
    .forShare()
    .executeTakeFirst()
  return row !== undefined
}

/** Done, or given up for good. */
export async function endJob(db: Db, holder: string, id: string): Promise<void> {
  await db.deleteFrom('jobs').where('id', '=', id).where('holder', '=', holder).execute()
}

/** Somebody else may do it; that it was begun here does not count. */
export async function returnJob(db: Db, holder: string, id: string): Promise<void> {
  await db
    .updateTable('jobs')
    .set((row) => ({ holder: null, attempts: row('attempts', '-', 1) }))
    .where('id', '=', id)
    .where('holder', '=', holder)
    .execute()
}

/** Of a planner that is alone: jobs of several before it. */
export async function forgetJobs(db: Db): Promise<void> {
  await db.deleteFrom('jobs').execute()
}
