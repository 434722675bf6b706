import { CompiledQuery, PostgresAdapter, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Db, Tables } from './tables.ts'

/**
 * The values of a list are part of a statement's text, and statements stay compiled by their texts (`sqlite.ts`): batches of
 * every size would each be put together and compiled anew. So a list that is looked through is one value, and rows that
 * are put come in pieces of few lengths.
 */

/** Whether the column has one of these: a list of any length, and one text. */
export function isAmong(db: Db, column: string, values: Iterable<string>) {
  const list = [...values]
  return isPostgres(db)
    ? sql<SqlBool>`${sql.ref(column)} = any(${list})`
    : sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${JSON.stringify(list)}))`
}

/** Whether both columns together have one of these pairs. */
export function areAmong(
  db: Db,
  columns: readonly [string, string],
  pairs: readonly (readonly [string, string])[],
) {
  const [first, second] = columns.map((column) => sql.ref(column))
  const listed = isPostgres(db)
    ? sql`select * from unnest(${pairs.map(([one]) => one)}::text[], ${pairs.map(([, other]) => other)}::text[])`
    : sql`select value ->> 0, value ->> 1 from json_each(${JSON.stringify(pairs)})`
  return sql<SqlBool>`(${first}, ${second}) in (${listed})`
}

function isPostgres(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}

/** Rows of one statement, a power of two: as many as make it rare. */
const ROWS = 64

interface Putting<Column extends string> {
  /** Columns that are the same in every row. */
  readonly always?: Readonly<Partial<Record<Column, number>>>
  /** Absent: no such row is there. */
  readonly key?: readonly Column[]
  /** What the new row changes in one that is there; none: it stays. */
  readonly changes?: readonly Column[]
  /** Answered of those that were put or changed; none: nothing is. */
  readonly returning?: readonly Column[]
}

/**
 * Puts rows into a table, many at once. A statement of each length is put together once: of births that took longer than
 * the database took to write them.
 */
export function rowsInto<
  Name extends keyof Tables & string,
  Column extends keyof Tables[Name] & string,
>(
  table: Name,
  columns: readonly Column[],
  putting: Putting<keyof Tables[Name] & string> = {},
): (
  db: Db,
  rows: readonly Pick<Tables[Name], Column>[],
) => Promise<readonly Partial<Pick<Tables[Name], Column>>[]> {
  const kept = new WeakMap<object, Map<number, string>>()
  const textOf = (db: Db, rows: number): string => {
    const { adapter } = db.getExecutor()
    const texts = kept.get(adapter) ?? new Map<number, string>()
    kept.set(adapter, texts)
    const text = texts.get(rows) ?? insertion(table, columns, rows, putting).compile(db).sql
    texts.set(rows, text)
    return text
  }
  return async (db, rows) => {
    const answered: Partial<Pick<Tables[Name], Column>>[] = []
    for (const piece of inPieces(rows, ROWS)) {
      const values = piece.flatMap((row) => columns.map((column) => row[column]))
      const statement = CompiledQuery.raw(textOf(db, piece.length), values)
      const { rows: some } = await db.executeQuery<Partial<Pick<Tables[Name], Column>>>(statement)
      answered.push(...some)
    }
    return answered
  }
}

function insertion(
  table: string,
  columns: readonly string[],
  rows: number,
  { always = {}, key, changes = [], returning = [] }: Putting<string>,
): RawBuilder<unknown> {
  const all = names([...columns, ...Object.keys(always)])
  const row = sql`(${sql.join([...columns, ...Object.values(always).map((same) => sql.lit(same))])})`
  const values = sql.join(Array.from({ length: rows }, () => row))
  const resolution = key === undefined ? sql`` : resolved(key, changes)
  const answer = returning.length === 0 ? sql`` : sql` returning ${names(returning)}`
  return sql`insert into ${sql.table(table)} (${all}) values ${values}${resolution}${answer}`
}

function names(columns: readonly string[]): RawBuilder<unknown> {
  return sql.join(columns.map((name) => sql.ref(name)))
}

function resolved(key: readonly string[], changes: readonly string[]): RawBuilder<unknown> {
  const on = sql` on conflict (${names(key)})`
  if (changes.length === 0) return sql`${on} do nothing`
  const changed = changes.map((name) => sql`${sql.ref(name)} = ${sql.ref(`excluded.${name}`)}`)
  return sql`${on} do update set ${sql.join(changed)}`
}

/** All in their order, in pieces of at most `most`, a power of two: each as long as a smaller one may be, too. */
export function* inPieces<T>(rows: readonly T[], most: number): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; ) {
    let size = most
    while (size > rows.length - from) size /= 2
    yield rows.slice(from, from + size)
    from += size
  }
}
