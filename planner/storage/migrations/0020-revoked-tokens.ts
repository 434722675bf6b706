import type { TableDefinition } from './columns.ts'

/** Join tokens that an operator took back before their time. Frozen. */
export const revokedTokenTables = {
  join_token_revocations: {
    key: ['token'],
    columns: { token: 'text', by: 'text', at: 'time', reason: 'text' },
  },
} as const satisfies Record<string, TableDefinition>
