import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { messageOf } from '../../shared/errors.ts'
import { fieldOf } from '../../shared/open-words.ts'
import type { Database, Notifier } from './database.ts'
import { StorageError } from './errors.ts'
import type { Tables } from './tables.ts'

/** Names the advisory lock that planners hold, alone or together with others: `fitm` in ASCII. */
const LOCK = 0x6669746d
/** The same while one starts, and makes what all have. */
const START_LOCK = LOCK + 1
/** PostgreSQL's bigint; our counters stay far below 2^53. */
const INT8 = 20
const CHANNEL = 'fitment'
/** Connections of one process, beside the one that holds the lock. */
const MOST_CONNECTIONS = 4
/** A planner that sleeps or is cut off in a transaction holds what others wait for no longer than this. */
const IDLE_IN_TRANSACTION_MS = 10_000
/** A connection that is not made by then will not be. */
const CONNECT_MS = 15_000

const SHARING = {
  alone: { lock: 'pg_try_advisory_lock', other: 'another planner is running' },
  together: {
    lock: 'pg_try_advisory_lock_shared',
    other: 'a planner that works alone, as fitment serve does, is running',
  },
} as const
/** Whether other planners may have the database open as well. */
export type Sharing = keyof typeof SHARING

/** @throws StorageError `in-use`, `unreachable`, `no-connection` */
export async function openPostgres(url: string, sharing: Sharing = 'alone'): Promise<Database> {
  const place = withoutPassword(url)
  const holder = new pg.Client({
    connectionString: url,
    application_name: 'fitment planner lock',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  })
  let closing = false
  const lost = new Promise<Error>((resolve) => {
    const report = (error?: Error) =>
      closing ||
      resolve(
        new StorageError(
          'unreachable',
          `the connection to ${place} broke: ${error?.message ?? 'closed by the server'}; start the planner again when it is back`,
        ),
      )
    holder.on('error', report)
    holder.on('end', () => report())
  })
  await hold(holder, place, sharing)
  const pool = new pg.Pool({
    connectionString: url,
    max: MOST_CONNECTIONS,
    application_name: 'fitment planner',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    types: { getTypeParser: (oid, format) => parserFor(oid, format) },
  })
  // An idle connection that breaks is replaced by the pool; the holder's tells us when it matters.
  pool.on('error', () => {})
  // One that breaks in a transaction fails the next statement of it; without a listener it would end the process.
  pool.on('connect', (client) => void client.on('error', () => {}))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    kind: 'postgres',
    place,
    lost,
    notifier: notifierOf(db, holder),
    close: async () => {
      closing = true
      await db.destroy()
      await holder.end()
    },
  }
}

/** One after the other, of all that start on this database; the connection that waits is one of this process's own. */
export function startingAlone<T>({ db, kind }: Database, work: () => Promise<T>): Promise<T> {
  if (kind === 'sqlite') return work()
  return db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${START_LOCK})`.execute(connection)
    try {
      return await work()
    } finally {
      await sql`select pg_advisory_unlock(${START_LOCK})`.execute(connection)
    }
  })
}

/** Listening is the holder's: while it is connected nothing that is said is missed, and when it is not the planner ends. */
function notifierOf(db: Kysely<Tables>, holder: pg.Client): Notifier {
  return {
    async send(text) {
      await sql`select pg_notify(${CHANNEL}, ${text})`.execute(db)
    },
    async listen(take) {
      holder.on('notification', ({ payload = '' }) => take(payload))
      await holder.query(`listen ${CHANNEL}`)
    },
  }
}

async function hold(holder: pg.Client, place: string, sharing: Sharing): Promise<void> {
  const { lock, other } = SHARING[sharing]
  let locked: boolean
  try {
    await holder.connect()
    const { rows } = await holder.query<{ locked: boolean }>(`select ${lock}($1) as locked`, [LOCK])
    locked = rows[0]?.locked === true
  } catch (error) {
    throw unreachable(error, place)
  }
  if (locked) return
  await holder.end()
  throw new StorageError(
    'in-use',
    `${other} on ${place}: stop it, or give this one a database of its own`,
  )
}

/** `too_many_connections` (PostgreSQL, appendix A). */
const TOO_MANY = '53300'

function unreachable(error: unknown, place: string): StorageError {
  if (fieldOf(error, 'code') === TOO_MANY) {
    return new StorageError(
      'no-connection',
      `${place} has no connection left: a planner takes ${MOST_CONNECTIONS + 1}; raise max_connections, or end others that use it`,
      {},
      { cause: error },
    )
  }
  return new StorageError(
    'unreachable',
    `no database at ${place}: ${messageOf(error) || 'connection refused'}; check the address, the credentials and that the server runs`,
    {},
    { cause: error },
  )
}

function parserFor(oid: number, format: 'text' | 'binary' | undefined): (value: string) => unknown {
  if (oid === INT8) return Number
  return pg.types.getTypeParser(oid, format as 'text')
}

function withoutPassword(url: string): string {
  try {
    const { host, pathname } = new URL(url)
    return `postgres://${host}${pathname}`
  } catch {
    return 'the PostgreSQL address given'
  }
}
