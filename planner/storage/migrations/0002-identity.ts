import type { TableDefinition } from './columns.ts'

/** Identity: what lets devices join, what they were given, and who may operate the planner. Frozen. */
export const identityTables = {
  /** `id` and `public_key` are one-way images of a token's secret. */
  join_tokens: {
    key: ['id'],
    columns: {
      id: 'text',
      public_key: 'text',
      device: 'text?',
      created_by: 'text',
      created_at: 'time',
      expires_at: 'time',
      used_at: 'time?',
      used_by: 'text?',
      /** SHA-256 of the public key it was used for: the same request again gets the same answer. */
      used_key: 'text?',
      certificate: 'text?',
    },
  },
  certificates: {
    key: ['serial'],
    columns: {
      serial: 'text',
      device: 'text',
      /** DER, base64. */
      certificate: 'text',
      issued_at: 'time',
      expires_at: 'time',
      revoked_at: 'time?',
      revoked_by: 'text?',
      reason: 'text?',
    },
    indexes: [['device'], ['revoked_at']],
  },
  /** `id` is the SHA-256 of a token's secret. */
  operators: {
    key: ['id'],
    columns: {
      id: 'text',
      name: 'text',
      role: 'text',
      created_by: 'text',
      created_at: 'time',
      expires_at: 'time?',
      revoked_at: 'time?',
    },
  },
} as const satisfies Record<string, TableDefinition>
