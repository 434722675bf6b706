import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { migrate } from './migrations/migrate.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'
import type { Db } from './tables.ts'

export interface Database {
  readonly db: Db
  readonly kind: 'sqlite' | 'postgres'
  /** For messages: a file, or a server and database without the password. */
  readonly place: string
  /** Settles when this planner no longer holds the database alone: it must stop at once. */
  readonly lost: Promise<Error>
  close(): Promise<void>
}

export interface DatabaseLocation {
  /** Directory of the embedded database and of the artifacts. */
  readonly data: string
  /** `postgres://…`; absent: embedded. */
  readonly url?: string
}

/**
 * Opens the planner's database, makes or migrates its tables, and holds it for this process alone.
 * @throws StorageError `in-use` when another planner runs on it
 */
export async function openDatabase({ data, url }: DatabaseLocation): Promise<Database> {
  // Models, and who may operate, are nobody else's business.
  await mkdir(data, { recursive: true, mode: 0o700 })
  const opened = url ? await openPostgres(url) : await openSqlite(join(data, 'fitment.db'))
  try {
    await migrate(opened.db, opened.kind)
    await sql`select 1`.execute(opened.db)
    return opened
  } catch (error) {
    await opened.close()
    throw error
  }
}
