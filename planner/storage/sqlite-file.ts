import Sqlite from 'libsql'
import { messageOf } from '../../shared/errors.ts'
import { StorageError } from './errors.ts'
import { inUsersWords } from './sqlite-causes.ts'

/** Whether every page of a database can be read. @throws StorageError saying what is wrong with it */
export async function lookIntoSqlite(path: string): Promise<void> {
  await withDatabase(path, (database) => {
    const rows = database.prepare('PRAGMA quick_check(1)').all() as Record<string, unknown>[]
    const said = String(Object.values(rows[0] ?? {})[0])
    if (said === 'ok') return
    throw new StorageError('unreadable', `${path} is damaged (${said}): restore it from a backup`, {
      path,
    })
  })
}

/**
 * A copy as of one moment, while others read and write (sqlite.org/lang_vacuum.html, INTO). The name must be free.
 * @throws StorageError
 */
export async function copySqlite(path: string, to: string): Promise<void> {
  await withDatabase(path, (database) => {
    database.prepare('VACUUM INTO ?').run(to)
  })
}

async function withDatabase(
  path: string,
  work: (database: Sqlite.Database) => void,
): Promise<void> {
  let database: Sqlite.Database | undefined
  try {
    database = new Sqlite(path)
    database.pragma('busy_timeout = 5000')
    work(database)
  } catch (error) {
    if (error instanceof StorageError) throw error
    const known = inUsersWords(error, path)
    if (known !== error) throw known
    throw new StorageError('unreadable', `${path}: ${messageOf(error)}`, { path }, { cause: error })
  } finally {
    database?.close()
  }
}
