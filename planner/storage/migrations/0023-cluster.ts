import type { Kysely, Migration } from 'kysely'
import type { TableDefinition } from './columns.ts'
import { createTables, type DialectName } from './create.ts'

/** Several planners on one database: who is there, what each has, and builds that wait for somebody. Frozen. */
export const clusterTables = {
  planners: {
    key: ['id'],
    columns: {
      id: 'text',
      /** Host and process, for people. */
      name: 'text',
      role: 'text',
      version: 'text',
      fleet: 'text',
      /** Digest of the trust anchor; empty for who signs nothing. */
      anchor: 'text',
      /** By the database's clock, ms. */
      started_at: 'int',
      until: 'int',
    },
  },
  /** What only one planner does at a time. `term` counts its holders. */
  claims: {
    key: ['name'],
    columns: { name: 'text', holder: 'text?', term: 'int' },
    indexes: [['holder']],
  },
  jobs: {
    columns: {
      seq: 'seq',
      id: 'text',
      kind: 'text',
      model: 'text',
      variant: 'text',
      holder: 'text?',
      /** How often somebody took it up. */
      attempts: 'int',
    },
    unique: [['id']],
    indexes: [['holder']],
  },
} as const satisfies Record<string, TableDefinition>

export function cluster(dialect: DialectName): Migration {
  const tables = createTables(clusterTables, dialect)
  return {
    async up(db: Kysely<unknown>) {
      await tables.up(db)
      // Orders that wait, of all devices: few beside those that are closed.
      const index = db.schema.createIndex('orders_by_state_device').ifNotExists()
      await index.on('orders').columns(['state', 'device']).execute()
    },
  }
}
