import type { DeviceId } from '../../shared/ids.ts'
import { type EngineNotes, engineNotesSchema } from '../../shared/messages/index.ts'
import type { Born } from './born.ts'
import { isAmong, rowsInto } from './few-texts.ts'
import { readJsonOrNull } from './json.ts'
import type { Db } from './tables.ts'

const putNotes = rowsInto('engine_notes', ['device', 'notes'])

/** In place of what they said at their last births. */
export async function recordEngineNotesOf(db: Db, births: readonly Born[]): Promise<void> {
  if (births.length === 0) return
  const devices = births.map(({ device }) => device)
  await db
    .deleteFrom('engine_notes')
    .where(isAmong(db, 'device', devices))
    .execute()
  const rows = births.flatMap(({ device, birth: { unusable = [], proposed = [] } }) =>
    unusable.length + proposed.length === 0
      ? []
      : [{ device, notes: JSON.stringify({ unusable, proposed }) }],
  )
  await putNotes(db, rows)
}

export async function engineNotesOf(db: Db, device: DeviceId): Promise<EngineNotes> {
  const row = await db
    .selectFrom('engine_notes')
    .select('notes')
    .where('device', '=', device)
    .executeTakeFirst()
  return readJsonOrNull(engineNotesSchema, row?.notes ?? null) ?? { unusable: [], proposed: [] }
}
