import type { TableDefinition } from './columns.ts'

/** How probes of a model are made, where not as usual; probes that are neither heats nor duels. Frozen. */
export const policyTables = {
  probe_policies: {
    key: ['model'],
    columns: { model: 'text', policy: 'json' },
  },
  probe_kinds: {
    key: ['probe'],
    columns: { probe: 'text', kind: 'text' },
  },
} as const satisfies Record<string, TableDefinition>
