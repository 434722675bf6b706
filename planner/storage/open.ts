import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { migrate } from './migrations/migrate.ts'
import { openPostgres, type Sharing } from './postgres.ts'
import { holdAlone, openSqlite } from './sqlite.ts'

export interface DatabaseLocation {
  /** Directory of the embedded database and of the artifacts. */
  readonly data: string
  /** `postgres://…`; absent: embedded. */
  readonly url?: string
  /** Of a database by URL; default: alone. */
  readonly sharing?: Sharing
}

/** Where the embedded database lies. */
export function databaseFile(data: string): string {
  return join(data, 'fitment.db')
}

/**
 * Opens the planner's database, makes or migrates its tables, and holds it for this process alone, or together with
 * others; its data directory is always its own.
 * @throws StorageError `in-use` when another planner runs on it
 */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  const { data } = location
  // Models, and who may operate, are nobody else's business.
  await mkdir(data, { recursive: true, mode: 0o700 })
  const opened = await open(location)
  try {
    await migrate(opened.db, opened.kind)
    await sql`select 1`.execute(opened.db)
    return opened
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function open({ data, url, sharing }: DatabaseLocation): Promise<Database> {
  if (url === undefined || url === '') return await openSqlite(databaseFile(data))
  const release = holdAlone(join(data, 'planner'))
  try {
    const opened = await openPostgres(url, sharing)
    const close = async () => {
      await opened.close()
      release()
    }
    return { ...opened, close }
  } catch (error) {
    release()
    throw error
  }
}
