import { type Kysely, type Migration, sql } from 'kysely'
import type { ColumnType, TableDefinition } from './columns.ts'

export type DialectName = 'sqlite' | 'postgres'

/**
 * A migration that makes these tables, with their indexes. SQLite's run outside a transaction (Kysely's choice): one
 * that was killed half way is run again, so it makes only what is missing.
 */
export function createTables(
  definitions: Readonly<Record<string, TableDefinition>>,
  dialect: DialectName,
): Migration {
  return {
    async up(db: Kysely<unknown>) {
      for (const [name, definition] of Object.entries(definitions)) {
        await createTable(db, dialect, name, definition)
        await createIndexes(db, name, definition)
      }
    },
  }
}

async function createTable(
  db: Kysely<unknown>,
  dialect: DialectName,
  name: string,
  { columns, key }: TableDefinition,
): Promise<void> {
  let table = db.schema.createTable(name).ifNotExists()
  for (const [column, type] of Object.entries(columns)) {
    if (type === 'seq') {
      table = table.addColumn(column, SEQUENCE[dialect], (c) =>
        dialect === 'sqlite' ? c.primaryKey().autoIncrement() : c.primaryKey(),
      )
    } else {
      table = table.addColumn(column, isNumber(type) ? 'bigint' : 'text', (c) =>
        type.endsWith('?') ? c : c.notNull(),
      )
    }
  }
  if (key) table = table.addPrimaryKeyConstraint(`${name}_key`, key as never)
  await table.execute()
}

async function createIndexes(
  db: Kysely<unknown>,
  name: string,
  { indexes = [], unique = [] }: TableDefinition,
): Promise<void> {
  const index = (columns: readonly string[]) =>
    db.schema
      .createIndex(`${name}_by_${columns.join('_')}`)
      .on(name)
      .columns([...columns])
  for (const columns of indexes) await index(columns).execute()
  for (const columns of unique) await index(columns).unique().execute()
}

function isNumber(type: ColumnType): boolean {
  return type === 'int' || type === 'int?' || type === 'flag'
}

const SEQUENCE = { sqlite: 'integer', postgres: sql`bigserial` } as const
