import type { Db } from './tables.ts'

/** One part of a class that was split: its devices share a value of a fact. */
export interface ClassPart {
  /** Of all of them, before it was split. */
  readonly class: string
  readonly fact: string
  readonly value: string
  /** The class of those of this value. */
  readonly part: string
  readonly reason: string
}

export async function listParts(db: Db): Promise<readonly ClassPart[]> {
  const rows = await db.selectFrom('class_parts').selectAll().orderBy('part').execute()
  return rows.map(({ class: whole, fact, value, part, reason }) => ({
    class: whole,
    fact,
    value,
    part,
    reason,
  }))
}

export async function addParts(db: Db, parts: readonly ClassPart[], at: Date): Promise<void> {
  const rows = parts.map((part) => ({ ...part, made_at: at.toISOString() }))
  await db
    .insertInto('class_parts')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['class', 'value']).doNothing())
    .execute()
}
