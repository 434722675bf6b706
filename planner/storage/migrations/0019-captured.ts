import type { TableDefinition } from './columns.ts'

/** Inferences worth a label that devices told of; what was collected of them lies in files. Frozen. */
export const capturedTables = {
  captured_samples: {
    unique: [['device', 'digest']],
    indexes: [
      ['state', 'device'],
      ['model_name', 'state'],
    ],
    columns: {
      seq: 'seq',
      device: 'text',
      digest: 'text',
      model_name: 'text',
      bytes: 'int',
      /** offered, kept, refused, dropped */
      state: 'text',
      /** 0: the device must be told that it is wanted no more. */
      told: 'flag',
      offered_at: 'time',
      variant: 'text?',
      why: 'text?',
      /** By the device's clock. */
      at: 'time?',
      settled_at: 'time?',
      /** Why it was refused. */
      error: 'text?',
    },
  },
} as const satisfies Record<string, TableDefinition>
