import type { Kysely, Migration } from 'kysely'

const ADDED = [
  { on: 'probes', columns: ['model', 'class', 'device'] },
  { on: 'probes', columns: ['model', 'class', 'variant', 'ordered_at'] },
  { on: 'probes', columns: ['model', 'class', 'ordered_at'] },
  { on: 'rechecks', columns: ['state', 'updated_at'] },
] as const
/** What the first columns of those do as well. */
const DROPPED = ['probes_by_model_class', 'rechecks_by_state']

/** What is asked for each measurement of a fleet reads a few rows, however many were measured. Frozen. */
export const probeIndexes: Migration = {
  async up(db: Kysely<unknown>) {
    for (const { on, columns } of ADDED) {
      const index = db.schema.createIndex(`${on}_by_${columns.join('_')}`).ifNotExists()
      await index
        .on(on)
        .columns([...columns])
        .execute()
    }
    for (const name of DROPPED) await db.schema.dropIndex(name).ifExists().execute()
  },
}
