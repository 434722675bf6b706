import type { TableDefinition } from './columns.ts'

/** How mixed variants are built. Frozen. */
export const tuningTables = {
  tunings: {
    key: ['variant'],
    columns: { variant: 'text', tuning: 'json' },
  },
} as const satisfies Record<string, TableDefinition>
