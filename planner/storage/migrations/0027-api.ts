import { type Kysely, type Migration, sql } from 'kysely'
import type { TableDefinition } from './columns.ts'
import { createTables, type DialectName } from './create.ts'

/** What the operator API keeps, and what its filters ask for. Frozen. */
export const apiTables = {
  /** Of pages in a browser: by the digest of the cookie's secret, for the operator whose token opened it. */
  sessions: {
    key: ['id'],
    columns: { id: 'text', operator: 'text', opened_at: 'time', expires_at: 'time' },
    indexes: [['expires_at']],
  },
  /** What was answered under an idempotency key; `status` null: it is still being done. */
  kept_answers: {
    key: ['caller', 'idempotency_key'],
    columns: {
      caller: 'text',
      idempotency_key: 'text',
      /** Digest of what was asked. */
      asked: 'text',
      status: 'int?',
      /** Null: it is not told twice. */
      body: 'json?',
      at: 'time',
    },
    indexes: [['at']],
  },
  /** `devices.slots` by what is in them. */
  device_slots: {
    key: ['device', 'model_name', 'variant'],
    columns: { device: 'text', model_name: 'text', variant: 'text', active: 'flag' },
    indexes: [['model_name', 'variant', 'active']],
  },
} as const satisfies Record<string, TableDefinition>

/** By which lists are filtered, beside the keys. */
const INDEXES = [
  ['devices', ['online', 'id']],
  ['devices', ['class', 'id']],
  ['device_labels', ['key', 'value', 'device']],
  ['alarms', ['device']],
  ['rollouts', ['created_at', 'id']],
  ['audit', ['subject', 'seq']],
] as const

const SLOTS: Readonly<Record<DialectName, string>> = {
  sqlite: `select devices.id, json_extract(slot.value, '$.model'), json_extract(slot.value, '$.variant'),
      case when json_extract(slot.value, '$.active') then 1 else 0 end
    from devices, json_each(devices.slots) slot where true`,
  postgres: `select devices.id, slot->>'model', slot->>'variant', case when (slot->>'active')::boolean then 1 else 0 end
    from devices cross join lateral json_array_elements(devices.slots::json) slot`,
}

export function api(dialect: DialectName): Migration {
  const tables = createTables(apiTables, dialect)
  return {
    async up(db: Kysely<unknown>) {
      await tables.up(db)
      for (const [table, columns] of INDEXES) {
        const name = `${table}_by_${columns.join('_')}`
        await db.schema
          .createIndex(name)
          .ifNotExists()
          .on(table)
          .columns([...columns])
          .execute()
      }
      const columns = 'device, model_name, variant, active'
      const fill = `insert into device_slots (${columns}) ${SLOTS[dialect]} on conflict do nothing`
      await sql.raw(fill).execute(db)
    },
  }
}
