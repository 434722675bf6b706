import type { ProbeRecord } from '../../shared/measure/index.ts'
import { probeRecordSchema } from '../../shared/measure/records.ts'
import { refusalSchema } from '../../shared/messages/index.ts'
import { wordOr } from '../../shared/open-words.ts'
import { readJsonOrNull } from './json.ts'
import type { Probe } from './probes.ts'
import type { Db, Tables } from './tables.ts'

/** due → asked → done; what is done may have failed: its probe says. */
export const RECHECK_STATES = ['due', 'asked', 'done'] as const
export type RecheckState = (typeof RECHECK_STATES)[number]
/** What a newer planner made of it is not ours to repeat. */
const stateSchema = wordOr(RECHECK_STATES, 'done')

/** A device that is to measure the variant it was given. */
export interface Recheck {
  readonly device: string
  readonly modelName: string
  readonly model: string
  readonly class: string
  readonly round: number
  /** Content key. */
  readonly variant: string
  readonly state: RecheckState
  /** Null until it is asked. */
  readonly probe: string | null
}

export interface Rechecked extends Recheck {
  readonly record: ProbeRecord | null
  readonly error: { readonly code: string; readonly message: string } | null
}

/** The newest installation of a model on a device is the one that counts. */
export async function setDue(
  db: Db,
  { modelName, ...rest }: Omit<Recheck, 'state' | 'probe'>,
  at: Date,
): Promise<void> {
  const row = {
    ...rest,
    model_name: modelName,
    state: 'due',
    probe: null,
    updated_at: at.toISOString(),
  }
  await db
    .insertInto('rechecks')
    .values(row)
    .onConflict((conflict) => conflict.columns(['device', 'model_name']).doUpdateSet(row))
    .execute()
}

/** Oldest first, at most so many: only of devices that are online. */
export async function dueRechecks(db: Db, most: number): Promise<readonly Recheck[]> {
  const rows = await db
    .selectFrom('rechecks')
    .innerJoin('devices', 'devices.id', 'rechecks.device')
    .selectAll('rechecks')
    .where('rechecks.state', '=', 'due')
    .where('devices.online', '=', 1)
    .orderBy('rechecks.updated_at')
    .limit(most)
    .execute()
  return rows.map(recheckOf)
}

/** Each with its probe, if that is known and has no answer yet. */
export async function askedRechecks(
  db: Db,
): Promise<
  readonly (Recheck & { readonly open: Pick<Probe, 'id' | 'device' | 'deadline'> | null })[]
> {
  const rows = await db
    .selectFrom('rechecks')
    .leftJoin('probes', (join) =>
      join.onRef('probes.id', '=', 'rechecks.probe').on('probes.state', '=', 'ordered'),
    )
    .selectAll('rechecks')
    .select('probes.deadline')
    .where('rechecks.state', '=', 'asked')
    .execute()
  return rows.map(({ deadline, ...row }) => {
    const { probe: id, device } = row
    const open = id === null || deadline === null ? null : { id, device, deadline }
    return { ...recheckOf(row), open }
  })
}

export async function findRecheck(
  db: Db,
  device: string,
  modelName: string,
): Promise<Recheck | undefined> {
  const row = await db
    .selectFrom('rechecks')
    .selectAll()
    .where('device', '=', device)
    .where('model_name', '=', modelName)
    .executeTakeFirst()
  return row && recheckOf(row)
}

/** Those of a revision and class that are answered, with what their probe came to. */
export async function recheckedOf(
  db: Db,
  { model, class: classId }: Pick<Recheck, 'model' | 'class'>,
): Promise<readonly Rechecked[]> {
  const rows = await db
    .selectFrom('rechecks')
    .leftJoin('probes', 'probes.id', 'rechecks.probe')
    .selectAll('rechecks')
    .select(['probes.record', 'probes.error'])
    .where('rechecks.model', '=', model)
    .where('rechecks.class', '=', classId)
    .where('rechecks.state', 'not in', ['due', 'asked'])
    .execute()
  return rows.map(({ record, error, ...row }) => ({
    ...recheckOf(row),
    record: readJsonOrNull(probeRecordSchema, record),
    error: readJsonOrNull(refusalSchema, error),
  }))
}

export async function setRecheck(
  db: Db,
  { device, modelName }: Pick<Recheck, 'device' | 'modelName'>,
  change: { readonly state: RecheckState; readonly probe?: string },
  at: Date,
): Promise<void> {
  await db
    .updateTable('rechecks')
    .set({ ...change, updated_at: at.toISOString() })
    .where('device', '=', device)
    .where('model_name', '=', modelName)
    .execute()
}

function recheckOf(row: Tables['rechecks']): Recheck {
  const { model_name: modelName, state, updated_at: _, ...rest } = row
  return { ...rest, modelName, state: stateSchema.parse(state) }
}
