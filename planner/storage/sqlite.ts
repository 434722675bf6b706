import { readFileSync, writeFileSync } from 'node:fs'
import { Kysely, SqliteDialect } from 'kysely'
import Sqlite from 'libsql'
import { messageOf } from '../../shared/errors.ts'
import type { Database } from './database.ts'
import { StorageError } from './errors.ts'
import type { Tables } from './tables.ts'

/** Every commit is on disk before a receipt is sent; readers beside the one writer. */
const PRAGMAS = [
  // First: after a crash the log is replayed by whoever opens it, and a reader beside us may be that one.
  'busy_timeout = 5000',
  'journal_mode = WAL',
  'synchronous = FULL',
  'foreign_keys = ON',
]

/** @throws StorageError `in-use`, `unreadable` */
export async function openSqlite(path: string): Promise<Database> {
  const release = holdAlone(path)
  try {
    const connection = new Sqlite(path)
    for (const pragma of PRAGMAS) connection.pragma(pragma)
    const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: connection }) })
    return {
      db,
      kind: 'sqlite',
      place: path,
      lost: new Promise(() => {}),
      close: async () => {
        await db.destroy()
        release()
      },
    }
  } catch (error) {
    release()
    const message = `${path} cannot be opened as a database: ${messageOf(error)}; move it away or restore it from a backup`
    throw new StorageError('unreadable', message, { path }, { cause: error })
  }
}

/**
 * One planner per database: an exclusive transaction on a file beside it, held for the life of the
 * process. The kernel drops the lock with the process, so a killed planner never blocks the next one;
 * the process id beside it is for the message only.
 */
function holdAlone(path: string): () => void {
  const lockPath = `${path}.lock`
  const pidPath = `${path}.pid`
  const lock = new Sqlite(lockPath)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    const holder = readPid(pidPath)
    throw new StorageError(
      'in-use',
      `another planner${holder ? ` (process ${holder})` : ''} is running on ${path}: stop it, or choose another --data directory`,
      { path, holder },
      { cause: error },
    )
  }
  writeFileSync(pidPath, `${process.pid}\n`)
  return () => lock.close()
}

function readPid(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined
  } catch {
    return undefined
  }
}
