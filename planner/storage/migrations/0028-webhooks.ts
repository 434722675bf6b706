import type { TableDefinition } from './columns.ts'

/** Who is told of events, and what has not reached them yet. Frozen. */
export const webhookTables = {
  webhooks: {
    key: ['name'],
    columns: {
      name: 'text',
      url: 'text',
      secret: 'text',
      /** Null: all. */
      kinds: 'json?',
      created_by: 'text',
      created_at: 'time',
      last_answer: 'text?',
    },
  },
  webhook_deliveries: {
    columns: {
      seq: 'seq',
      id: 'text',
      webhook: 'text',
      kind: 'text',
      body: 'text',
      /** waiting, delivered, dead */
      state: 'text',
      attempts: 'int',
      next_at: 'time',
      last_answer: 'text?',
      created_at: 'time',
    },
    unique: [['webhook', 'id']],
    indexes: [
      ['state', 'next_at'],
      ['webhook', 'state', 'seq'],
    ],
  },
  /** How far the audit was read for events. */
  event_places: {
    key: ['reader'],
    columns: { reader: 'text', seq: 'int' },
  },
} as const satisfies Record<string, TableDefinition>
