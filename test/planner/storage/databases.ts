import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import type { Database } from '../../../planner/storage/database.ts'
import { openDatabase } from '../../../planner/storage/open.ts'

export interface TestDatabase {
  readonly name: 'sqlite' | 'postgres'
  /** Why it cannot run here; absent where it can. */
  readonly skip?: string
  /** A database of its own, gone after the test; `open` may be called again to reopen it. */
  create(t: Test): Promise<{
    readonly data: string
    /** Of a server; a file has none. */
    readonly url?: string
    open(): Promise<Database>
  }>
}

const server = process.env.FITMENT_TEST_POSTGRES

export const DATABASES: readonly TestDatabase[] = [
  {
    name: 'sqlite',
    create: async (t) => {
      const data = t.testdir({})
      return { data, open: () => openDatabase({ data }) }
    },
  },
  {
    name: 'postgres',
    ...(server
      ? {}
      : { skip: 'needs FITMENT_TEST_POSTGRES=postgres://user:password@host/database' }),
    create: async (t) => {
      const data = t.testdir({})
      const name = `fitment_test_${randomBytes(6).toString('hex')}`
      await onServer(`create database ${name}`)
      t.teardown(() => onServer(`drop database ${name} with (force)`))
      const url = new URL(server ?? '')
      url.pathname = `/${name}`
      return { data, url: url.href, open: () => openDatabase({ data, url: url.href }) }
    },
  },
]

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server ?? '' })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
