import type { TableDefinition } from './columns.ts'

/** Devices that are to measure what they were given, once it runs there, and the probes they were asked for. Frozen. */
export const recheckTables = {
  rechecks: {
    key: ['device', 'model_name'],
    columns: {
      device: 'text',
      model_name: 'text',
      /** Revision that was rolled out. */
      model: 'text',
      class: 'text',
      round: 'int',
      variant: 'text',
      state: 'text',
      probe: 'text?',
      updated_at: 'time',
    },
    indexes: [['state']],
  },
} as const satisfies Record<string, TableDefinition>
