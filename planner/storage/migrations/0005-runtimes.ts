import type { TableDefinition } from './columns.ts'

/** Packages of native runtimes, and which devices were told to have which. Frozen. */
export const runtimeTables = {
  /** The newest of a runtime and architecture is the one that devices get. */
  runtime_packages: {
    columns: {
      seq: 'seq',
      digest: 'text',
      /** Under which it is released: `runtime.tflite`. */
      name: 'text',
      architecture: 'text',
      bytes: 'int',
      manifest: 'json',
      added_by: 'text',
      added_at: 'time',
    },
    unique: [['digest']],
    indexes: [['name']],
  },
  /** Devices that said at birth that they take libraries. */
  runtime_takers: {
    key: ['device'],
    columns: { device: 'text' },
  },
  /** What a device was last told to have of a runtime, and what became of it. */
  runtime_offers: {
    key: ['device', 'name'],
    columns: {
      device: 'text',
      name: 'text',
      package: 'text',
      order_id: 'text',
      state: 'text',
      attempt: 'int',
      error: 'text?',
      updated_at: 'time',
    },
    indexes: [['order_id']],
  },
} as const satisfies Record<string, TableDefinition>
