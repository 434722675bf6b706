import type { TableDefinition } from './columns.ts'

/** What a probe measured in turns with its variant, and whose choice may rest on disturbed records. Frozen. */
export const evidenceTables = {
  probe_rivals: {
    key: ['probe'],
    columns: { probe: 'text', rival: 'text' },
  },
  accepted_noise: {
    key: ['model'],
    columns: { model: 'text', since: 'time' },
  },
} as const satisfies Record<string, TableDefinition>
