import type { TableDefinition } from './columns.ts'

/** Devices whose identity more than one machine uses. Frozen. */
export const doubleTables = {
  device_doubles: {
    key: ['device'],
    columns: { device: 'text', first_at: 'time', last_at: 'time', times: 'int' },
  },
} as const satisfies Record<string, TableDefinition>
