import { z } from 'zod'
import { wordOr } from '../../shared/open-words.ts'
import type { Selection } from '../selection/index.ts'
import { type Measured, measuredSchema } from '../selection/index.ts'
import { readJson, readKnown } from './json.ts'
import type { Db, Tables } from './tables.ts'

export interface StoredSelection {
  readonly seq: number
  readonly model: string
  readonly class: string
  readonly round: number
  /** The rows it was chosen from. */
  readonly measured: readonly Measured[]
  readonly selection: Selection
  readonly createdAt: string
}

const rowsSchema = z.array(z.unknown())
const selectionSchema = z.object({
  winner: z.string().nullable(),
  bestSoFar: z.string().nullable(),
  ranking: z.array(z.string()),
  rows: z.array(
    z.object({
      key: z.string(),
      verdict: wordOr(['chosen', 'kept', 'dropped'], 'dropped'),
      reason: z.string(),
    }),
  ),
  why: z.string(),
})

export async function addSelection(
  db: Db,
  chosen: Pick<StoredSelection, 'model' | 'class' | 'round' | 'measured' | 'selection'>,
  at: Date,
): Promise<void> {
  await db
    .insertInto('selections')
    .values({
      model: chosen.model,
      class: chosen.class,
      round: chosen.round,
      winner: chosen.selection.winner,
      measured: JSON.stringify(chosen.measured),
      selection: JSON.stringify(chosen.selection),
      created_at: at.toISOString(),
    })
    .execute()
}

/** Newest for this model and class. */
export async function currentSelection(
  db: Db,
  model: string,
  classId: string,
): Promise<StoredSelection | undefined> {
  const row = await db
    .selectFrom('selections')
    .selectAll()
    .where('model', '=', model)
    .where('class', '=', classId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && selectionOf(row)
}

/** Those that were made behind this place, oldest first. */
export async function selectionsAfter(
  db: Db,
  seq: number,
  most: number,
): Promise<readonly StoredSelection[]> {
  const rows = await db
    .selectFrom('selections')
    .selectAll()
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(most)
    .execute()
  return rows.map(selectionOf)
}

export async function lastSelectionSeq(db: Db): Promise<number> {
  const row = await db
    .selectFrom('selections')
    .select((q) => q.fn.max('seq').as('seq'))
    .executeTakeFirst()
  return Number(row?.seq ?? 0)
}

export async function selectionBySeq(db: Db, seq: number): Promise<StoredSelection | undefined> {
  const row = await db
    .selectFrom('selections')
    .selectAll()
    .where('seq', '=', seq)
    .executeTakeFirst()
  return row && selectionOf(row)
}

type Row = {
  [Column in keyof Tables['selections']]: Column extends 'seq'
    ? number
    : Tables['selections'][Column]
}

function selectionOf(row: Row): StoredSelection {
  return {
    seq: row.seq,
    model: row.model,
    class: row.class,
    round: row.round,
    // Rows of targets that this planner does not know are none of its.
    measured: readJson(rowsSchema, row.measured).flatMap(
      (one) => readKnown(measuredSchema, one) ?? [],
    ),
    selection: readJson(selectionSchema, row.selection),
    createdAt: row.created_at,
  }
}
