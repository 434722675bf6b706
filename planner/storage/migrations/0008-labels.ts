import type { TableDefinition } from './columns.ts'

/** Names of the classes that a revision of a model tells apart, as its operator gave them. Frozen. */
export const labelTables = {
  model_labels: {
    key: ['model'],
    columns: { model: 'text', labels: 'text' },
  },
} as const satisfies Record<string, TableDefinition>
