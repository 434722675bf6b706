import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { migrate } from './migrations/migrate.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

export interface DatabaseLocation {
  /** Directory of the embedded database and of the artifacts. */
  readonly data: string
  /** `postgres://…`; absent: embedded. */
  readonly url?: string
}

/** Where the embedded database lies. */
export function databaseFile(data: string): string {
  return join(data, 'fitment.db')
}

/**
 * Opens the planner's database, makes or migrates its tables, and holds it for this process alone.
 * @throws StorageError `in-use` when another planner runs on it
 */
export async function openDatabase({ data, url }: DatabaseLocation): Promise<Database> {
  // Models, and who may operate, are nobody else's business.
  await mkdir(data, { recursive: true, mode: 0o700 })
  const opened = url ? await openPostgres(url) : await openSqlite(databaseFile(data))
  try {
    await migrate(opened.db, opened.kind)
    await sql`select 1`.execute(opened.db)
    return opened
  } catch (error) {
    await opened.close()
    throw error
  }
}
