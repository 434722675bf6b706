import { readFileSync, writeFileSync } from 'node:fs'
import {
  type CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely'
import Sqlite from 'libsql'
import { messageOf } from '../../shared/errors.ts'
import { Lru } from '../../shared/lru.ts'
import type { Database } from './database.ts'
import { StorageError } from './errors.ts'
import { causeOf, inUsersWords } from './sqlite-causes.ts'
import type { Tables } from './tables.ts'

/** Every commit is on disk before a receipt is sent; readers beside the one writer. */
const PRAGMAS = [
  // First: after a crash the log is replayed by whoever opens it, and a reader beside us may be that one.
  'busy_timeout = 5000',
  'journal_mode = WAL',
  'synchronous = FULL',
  'foreign_keys = ON',
]

/** @throws StorageError `in-use`, `full`, `unusable`, `unreadable` */
export async function openSqlite(path: string): Promise<Database> {
  const release = holdAlone(path)
  try {
    const connection = new Sqlite(path)
    for (const pragma of PRAGMAS) connection.pragma(pragma)
    const database = withPreparedStatements(connection)
    const db = new Kysely<Tables>({ dialect: new DiskDialect({ database }, path) })
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
    const unknown = new StorageError('unreadable', message, { path }, { cause: error })
    throw causeOf(error) === undefined ? unknown : inUsersWords(error, path)
  }
}

/** Texts of statements that stay compiled; lists of values make new ones. */
const PREPARED = 400

/** Every statement is compiled once: a seventh of the planner's time went into compiling the same ones. */
function withPreparedStatements(connection: Sqlite.Database): SqliteDatabase {
  const prepared = new Lru<string, SqliteStatement>(PREPARED)
  return {
    prepare(sql) {
      const known = prepared.get(sql)
      if (known) return known
      const statement = connection.prepare(sql) as SqliteStatement
      prepared.set(sql, statement)
      return statement
    },
    close() {
      prepared.clear()
      connection.close()
    },
  }
}

/** A database whose failures say what they mean, also in the middle of a transaction. */
class DiskDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig
  readonly #path: string

  constructor(config: SqliteDialectConfig, path: string) {
    super(config)
    this.#config = config
    this.#path = path
  }

  override createDriver(): SqliteDriver {
    return new DiskDriver(this.#config, this.#path)
  }
}

class DiskDriver extends SqliteDriver {
  readonly #path: string

  constructor(config: SqliteDialectConfig, path: string) {
    super(config)
    this.#path = path
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    return {
      executeQuery: async <R>(query: CompiledQuery) => {
        try {
          return await connection.executeQuery<R>(query)
        } catch (error) {
          throw inUsersWords(error, this.#path)
        }
      },
      streamQuery: (query, chunk) => connection.streamQuery(query, chunk),
    }
  }

  /** SQLite has rolled back by itself where the disk failed (sqlite.org/lang_transaction.html §3): what failed must be told, not this. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await super.rollbackTransaction(connection)
    } catch (error) {
      if (!/no transaction is active/.test(messageOf(error))) throw error
    }
  }
}

/**
 * One planner per database or data directory: an exclusive transaction on a file beside it, held for the life of the
 * process. The kernel drops the lock with the process, so a killed planner never blocks the next one;
 * the process id beside it is for the message only.
 */
export function holdAlone(path: string): () => void {
  const lockPath = `${path}.lock`
  const pidPath = `${path}.pid`
  const lock = opened(lockPath)
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (causeOf(error) !== undefined) throw inUsersWords(error, path)
    const holder = readPid(pidPath)
    throw new StorageError(
      'in-use',
      `another planner${holder ? ` (process ${holder})` : ''} is running on ${path}: stop it, or choose another --data directory`,
      { path, holder },
      { cause: error },
    )
  }
  try {
    writeFileSync(pidPath, `${process.pid}\n`)
  } catch {
    // For a message only.
  }
  return () => lock.close()
}

function opened(path: string): Sqlite.Database {
  try {
    return new Sqlite(path)
  } catch (error) {
    throw inUsersWords(error, path)
  }
}

function readPid(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined
  } catch {
    return undefined
  }
}
