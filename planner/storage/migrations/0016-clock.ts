import type { TableDefinition } from './columns.ts'

/** What this planner's clock said, and whether it ever said later than it was. One row: `planner`. Frozen. */
export const clockTables = {
  clocks: {
    key: ['whose'],
    columns: { whose: 'text', seen_at: 'time', ahead_until: 'time?', noticed_at: 'time?' },
  },
} as const satisfies Record<string, TableDefinition>
