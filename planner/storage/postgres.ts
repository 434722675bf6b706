import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { messageOf } from '../../shared/errors.ts'
import type { Database } from './database.ts'
import { StorageError } from './errors.ts'
import type { Tables } from './tables.ts'

/** Names the advisory lock that one planner holds per database: `fitm` in ASCII. */
const LOCK = 0x6669746d
/** PostgreSQL's bigint; our counters stay far below 2^53. */
const INT8 = 20

/** @throws StorageError `in-use`, `unreachable` */
export async function openPostgres(url: string): Promise<Database> {
  const place = withoutPassword(url)
  const holder = new pg.Client({ connectionString: url, application_name: 'fitment planner lock' })
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
  await hold(holder, place)
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    types: { getTypeParser: (oid, format) => parserFor(oid, format) },
  })
  // An idle connection that breaks is replaced by the pool; the holder's tells us when it matters.
  pool.on('error', () => {})
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return {
    db,
    kind: 'postgres',
    place,
    lost,
    close: async () => {
      closing = true
      await db.destroy()
      await holder.end()
    },
  }
}

async function hold(holder: pg.Client, place: string): Promise<void> {
  let locked: boolean
  try {
    await holder.connect()
    const { rows } = await holder.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1) as locked',
      [LOCK],
    )
    locked = rows[0]?.locked === true
  } catch (error) {
    throw new StorageError(
      'unreachable',
      `no database at ${place}: ${messageOf(error) || 'connection refused'}; check the address, the credentials and that the server runs`,
      {},
      { cause: error },
    )
  }
  if (locked) return
  await holder.end()
  throw new StorageError(
    'in-use',
    `another planner is running on ${place}: stop it, or give this one a database of its own`,
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
