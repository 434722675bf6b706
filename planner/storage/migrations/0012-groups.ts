import type { TableDefinition } from './columns.ts'

/** Groups of devices, and what is left of devices and models that were taken out. Frozen. */
export const groupTables = {
  /** `origin` says whose word it is: the operator's, or that of the device's own settings. */
  device_labels: {
    key: ['device', 'key', 'origin'],
    columns: { device: 'text', key: 'text', origin: 'text', value: 'text' },
  },
  retired_devices: {
    key: ['device'],
    columns: { device: 'text', at: 'time', by: 'text', reason: 'text' },
  },
  /** A name that is used again counts its revisions on. */
  removed_models: {
    key: ['name'],
    columns: { name: 'text', last_revision: 'int', at: 'time' },
  },
  revision_notes: {
    key: ['model'],
    columns: { model: 'text', note: 'text' },
  },
  /** Of each name one revision has a tag. */
  revision_tags: {
    key: ['name', 'tag'],
    columns: { name: 'text', tag: 'text', model: 'text' },
  },
  pruned_revisions: {
    key: ['model'],
    columns: { model: 'text', at: 'time', bytes: 'int' },
  },
  /** What an operator asked to begin once what is under way has ended. */
  queued_rollouts: {
    key: ['name'],
    columns: { name: 'text', model: 'text', asked: 'json', by: 'text', at: 'time' },
  },
} as const satisfies Record<string, TableDefinition>
