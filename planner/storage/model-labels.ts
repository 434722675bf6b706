import type { Digest } from '../../shared/digest.ts'
import type { Db } from './tables.ts'

/** @param model id of the revision @param labels digest of a file that `parseClassLabels` takes */
export async function putLabels(db: Db, model: string, labels: Digest): Promise<void> {
  await db.insertInto('model_labels').values({ model, labels }).execute()
}

export async function labelsOf(db: Db, model: string): Promise<Digest | null> {
  const row = await db
    .selectFrom('model_labels')
    .select('labels')
    .where('model', '=', model)
    .executeTakeFirst()
  return row?.labels ?? null
}
