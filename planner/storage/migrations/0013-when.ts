import type { TableDefinition } from './columns.ts'

/** When devices may switch, and by which tokens and authorities many of them join. Frozen. */
export const whenTables = {
  /** For devices that a selector matches. */
  maintenance_windows: {
    key: ['name'],
    columns: { name: 'text', selector: 'json', window: 'json', by: 'text', at: 'time' },
  },
  /** Where devices stand, by their own word; those that say it keep windows themselves. */
  device_zones: {
    key: ['device'],
    columns: { device: 'text', zone: 'text' },
  },
  rollout_pauses: {
    key: ['rollout'],
    columns: { rollout: 'text', until: 'time' },
  },
  /** Tokens that are good for more than one device. */
  join_token_quotas: {
    key: ['token'],
    columns: { token: 'text', uses: 'int' },
  },
  /** Labels of whoever joins by it. */
  join_token_labels: {
    key: ['token'],
    columns: { token: 'text', labels: 'json' },
  },
  /** Tokens for devices with a certificate of the operator's own authority. */
  join_token_authorities: {
    key: ['token'],
    columns: { token: 'text', certificate: 'text', names: 'json' },
  },
  join_token_uses: {
    key: ['token', 'device'],
    columns: { token: 'text', device: 'text', used_key: 'text', certificate: 'text', at: 'time' },
  },
} as const satisfies Record<string, TableDefinition>
