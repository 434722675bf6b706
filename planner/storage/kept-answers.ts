import type { Db } from './tables.ts'

/** Who asked, and under which key. */
export interface AnswerKey {
  readonly caller: string
  readonly key: string
}

export interface KeptAnswer {
  /** Digest of what was asked. */
  readonly asked: string
  /** Null: it is still being done. */
  readonly status: number | null
  /** Null: it is not told twice. */
  readonly body: string | null
}

/** Takes the key for what is asked now; answers what it stands for where somebody has it. */
export async function takeKey(
  db: Db,
  { caller, key }: AnswerKey,
  asked: string,
  at: Date,
): Promise<KeptAnswer | undefined> {
  const row = {
    caller,
    idempotency_key: key,
    asked,
    status: null,
    body: null,
    at: at.toISOString(),
  }
  const added = await db
    .insertInto('kept_answers')
    .values(row)
    .onConflict((conflict) => conflict.columns(['caller', 'idempotency_key']).doNothing())
    .executeTakeFirst()
  if ((added.numInsertedOrUpdatedRows ?? 0n) > 0n) return undefined
  return await db
    .selectFrom('kept_answers')
    .select(['asked', 'status', 'body'])
    .where('caller', '=', caller)
    .where('idempotency_key', '=', key)
    .executeTakeFirst()
}

export async function keepAnswer(
  db: Db,
  { caller, key }: AnswerKey,
  answer: { readonly status: number; readonly body: string | null },
): Promise<void> {
  await db
    .updateTable('kept_answers')
    .set(answer)
    .where('caller', '=', caller)
    .where('idempotency_key', '=', key)
    .execute()
}

/** What failed for reasons that may pass is tried again under the same key. */
export async function giveKeyBack(db: Db, { caller, key }: AnswerKey): Promise<void> {
  await db
    .deleteFrom('kept_answers')
    .where('caller', '=', caller)
    .where('idempotency_key', '=', key)
    .execute()
}

/** What was never answered too: a planner that was killed finishes nothing of what it had begun. */
export async function forgetOldKeys(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('kept_answers').where('at', '<', before.toISOString()).execute()
}
