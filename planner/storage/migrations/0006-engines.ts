import type { TableDefinition } from './columns.ts'

/** In what of its own a device was told to run a variant. Frozen. */
export const engineTables = {
  directed_engines: {
    key: ['device', 'model_name'],
    columns: { device: 'text', model_name: 'text', engine: 'json' },
  },
  /** What devices said of libraries that they do not use. */
  engine_notes: {
    key: ['device'],
    columns: { device: 'text', notes: 'json' },
  },
} as const satisfies Record<string, TableDefinition>
