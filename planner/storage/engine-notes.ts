import type { DeviceId } from '../../shared/ids.ts'
import { type Birth, type EngineNotes, engineNotesSchema } from '../../shared/messages/index.ts'
import { readJsonOrNull } from './json.ts'
import type { Db } from './tables.ts'

/** In place of what it said at its last birth. */
export async function recordEngineNotes(db: Db, device: DeviceId, birth: Birth): Promise<void> {
  await db.deleteFrom('engine_notes').where('device', '=', device).execute()
  const { unusable = [], proposed = [] } = birth
  if (unusable.length + proposed.length === 0) return
  const notes = JSON.stringify({ unusable, proposed })
  await db.insertInto('engine_notes').values({ device, notes }).execute()
}

export async function engineNotesOf(db: Db, device: DeviceId): Promise<EngineNotes> {
  const row = await db
    .selectFrom('engine_notes')
    .select('notes')
    .where('device', '=', device)
    .executeTakeFirst()
  return readJsonOrNull(engineNotesSchema, row?.notes ?? null) ?? { unusable: [], proposed: [] }
}
