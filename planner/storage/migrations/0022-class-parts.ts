import type { TableDefinition } from './columns.ts'

/** Classes whose devices ran at two speeds, and what told them apart. Frozen. */
export const partTables = {
  class_parts: {
    key: ['class', 'value'],
    columns: {
      class: 'text',
      value: 'text',
      fact: 'text',
      part: 'text',
      /** Over the other part. */
      reason: 'text',
      made_at: 'time',
    },
  },
} as const satisfies Record<string, TableDefinition>
