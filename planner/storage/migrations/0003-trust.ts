import type { TableDefinition } from './columns.ts'

/** Trust: what each device was last told to run, and which rollouts wait for which release. Frozen. */
export const trustTables = {
  /** The director's present word on a device, model by model; its counter is in `counters`. */
  directions: {
    key: ['device', 'model_name'],
    columns: { device: 'text', model_name: 'text', variant: 'text', class: 'text' },
    indexes: [['model_name']],
  },
  /** Versions of the trust roots a device has, by its own word at birth. */
  device_roots: {
    key: ['device'],
    columns: { device: 'text', director: 'int', image: 'int' },
  },
  /** The release counter that a rollout's variants must have been released under. */
  releases: {
    key: ['rollout'],
    columns: { rollout: 'text', counter: 'int' },
  },
} as const satisfies Record<string, TableDefinition>
