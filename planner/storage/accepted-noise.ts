import type { Db } from './tables.ts'

/** Whether the operator lets this model's choices rest on records of disturbed measurements. */
export async function acceptsNoise(db: Db, model: string): Promise<boolean> {
  const row = await db
    .selectFrom('accepted_noise')
    .select('model')
    .where('model', '=', model)
    .executeTakeFirst()
  return row !== undefined
}

export async function setNoiseAccepted(
  db: Db,
  model: string,
  accepted: boolean,
  at: Date,
): Promise<void> {
  if (!accepted) {
    await db.deleteFrom('accepted_noise').where('model', '=', model).execute()
    return
  }
  await db
    .insertInto('accepted_noise')
    .values({ model, since: at.toISOString() })
    .onConflict((conflict) => conflict.column('model').doNothing())
    .execute()
}
