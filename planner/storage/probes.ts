import type { z } from 'zod'
import type { ProbeRecord } from '../../shared/measure/index.ts'
import { probeRecordSchema } from '../../shared/measure/records.ts'
import { refusalSchema } from '../../shared/messages/index.ts'
import { wordOr } from '../../shared/open-words.ts'
import { readJsonOrNull } from './json.ts'
import type { Db, Tables } from './tables.ts'

/** ordered → measured | failed (the device said why) | lost (no answer in time); cancelled by the planner. */
export const PROBE_STATES = ['ordered', 'measured', 'failed', 'lost', 'cancelled'] as const
export type ProbeState = (typeof PROBE_STATES)[number]

const stateSchema = wordOr(PROBE_STATES, 'lost')

export interface Probe {
  /** Equal to its order's id. */
  readonly id: string
  readonly model: string
  readonly class: string
  readonly round: number
  readonly variant: string
  /** Key of the variant it is measured in turns with; null: none, or an order of old. */
  readonly rival: string | null
  readonly device: string
  /** `soak`: the variant alone and for long; null: a heat or a duel. */
  readonly match: 'soak' | null
  readonly state: ProbeState
  readonly record: ProbeRecord | null
  readonly error: z.infer<typeof refusalSchema> | null
  readonly orderedAt: string
  readonly deadline: string
  readonly finishedAt: string | null
}

export type ProbeOutcome =
  | { readonly state: 'measured'; readonly record: ProbeRecord }
  | {
      readonly state: 'failed' | 'lost' | 'cancelled'
      readonly error: { code: string; message: string }
    }

export async function addProbe(
  db: Db,
  probe: Pick<
    Probe,
    'id' | 'model' | 'class' | 'round' | 'variant' | 'rival' | 'device' | 'orderedAt' | 'deadline'
  > &
    Partial<Pick<Probe, 'match'>>,
): Promise<void> {
  await db
    .insertInto('probes')
    .values({
      id: probe.id,
      model: probe.model,
      class: probe.class,
      round: probe.round,
      variant: probe.variant,
      device: probe.device,
      state: 'ordered',
      record: null,
      error: null,
      ordered_at: probe.orderedAt,
      deadline: probe.deadline,
      finished_at: null,
    })
    .execute()
  const { id, rival } = probe
  if (rival !== null) await db.insertInto('probe_rivals').values({ probe: id, rival }).execute()
  if (probe.match === 'soak')
    await db.insertInto('probe_kinds').values({ probe: id, kind: probe.match }).execute()
}

/**
 * The first answer counts, except that a record which comes after its probe was given up is still a
 * record. Answers false when nothing changed.
 */
export async function finishProbe(
  db: Db,
  id: string,
  outcome: ProbeOutcome,
  at: Date,
): Promise<boolean> {
  const open: ProbeState[] = outcome.state === 'measured' ? ['ordered', 'lost'] : ['ordered']
  const result = await db
    .updateTable('probes')
    .set({
      state: outcome.state,
      record: outcome.state === 'measured' ? JSON.stringify(outcome.record) : null,
      error: outcome.state === 'measured' ? null : JSON.stringify(outcome.error),
      finished_at: at.toISOString(),
    })
    .where('id', '=', id)
    .where('state', 'in', open)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

export async function setProbeDeadline(db: Db, id: string, deadline: Date): Promise<void> {
  await db
    .updateTable('probes')
    .set({ deadline: deadline.toISOString() })
    .where('id', '=', id)
    .execute()
}

export async function findProbe(db: Db, id: string): Promise<Probe | undefined> {
  const row = await withRivals(db).where('id', '=', id).executeTakeFirst()
  return row && probeOf(row)
}

/** Oldest first; of one class, or of one round of it, or of one device there, or all of a model. */
export async function probesOf(
  db: Db,
  model: string,
  only?: { readonly class: string; readonly round?: number; readonly device?: string },
): Promise<readonly Probe[]> {
  let query = withRivals(db).where('model', '=', model)
  if (only) query = query.where('class', '=', only.class)
  if (only?.round !== undefined) query = query.where('round', '=', only.round)
  // In order of its own: SQLite would walk through all of the class in that order, for the few of the device.
  if (only?.device !== undefined)
    return (await query.where('device', '=', only.device).execute()).map(probeOf).sort(byOrder)
  return (await query.orderBy('ordered_at').orderBy('id').execute()).map(probeOf)
}

function byOrder(a: Probe, b: Probe): number {
  if (a.orderedAt !== b.orderedAt) return a.orderedAt < b.orderedAt ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** Those of a variant that were asked for first, at most so many, oldest first. */
export async function firstProbesOf(
  db: Db,
  of: Pick<Probe, 'model' | 'class' | 'round' | 'variant'>,
  most: number,
): Promise<readonly Probe[]> {
  const rows = await withRivals(db)
    .where('model', '=', of.model)
    .where('class', '=', of.class)
    .where('variant', '=', of.variant)
    .where('round', '=', of.round)
    .orderBy('ordered_at')
    .limit(most)
    .execute()
  return rows.map(probeOf)
}

/** What was asked of a class last, of all rounds, at most so many, oldest first. */
export async function lastProbesOf(
  db: Db,
  of: Pick<Probe, 'model' | 'class'>,
  most: number,
): Promise<readonly Probe[]> {
  const rows = await withRivals(db)
    .where('model', '=', of.model)
    .where('class', '=', of.class)
    .orderBy('ordered_at', 'desc')
    .limit(most)
    .execute()
  return rows.map(probeOf).reverse()
}

/** What was last measured of a variant by devices of a class, or by one of them. */
export async function newestRecord(
  db: Db,
  of: Pick<Probe, 'model' | 'class' | 'variant'> & Partial<Pick<Probe, 'device'>>,
): Promise<ProbeRecord | null> {
  let query = db
    .selectFrom('probes')
    .select('record')
    .where('model', '=', of.model)
    .where('class', '=', of.class)
    .where('variant', '=', of.variant)
    .where('state', '=', 'measured')
  if (of.device !== undefined) query = query.where('device', '=', of.device)
  const row = await query.orderBy('finished_at', 'desc').limit(1).executeTakeFirst()
  return readJsonOrNull(probeRecordSchema, row?.record ?? null)
}

/** The newest record of a device, whatever it measured; null: none. */
export async function newestRecordOn(db: Db, device: string): Promise<ProbeRecord | null> {
  const row = await db
    .selectFrom('probes')
    .select('record')
    .where('device', '=', device)
    .where('state', '=', 'measured')
    .orderBy('finished_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return readJsonOrNull(probeRecordSchema, row?.record ?? null)
}

/** The newest measurements of all models but one name, newest first: what others may be learnt from. */
export async function measuredOfOthers(
  db: Db,
  name: string,
  most: number,
): Promise<readonly Probe[]> {
  const rows = await withRivals(db)
    .innerJoin('models', 'models.id', 'probes.model')
    .where('models.name', '!=', name)
    .where('probes.state', '=', 'measured')
    .orderBy('probes.finished_at', 'desc')
    .limit(most)
    .execute()
  return rows.map(probeOf)
}

/** Whether a device measured a variant of this revision itself. */
export async function hasMeasured(
  db: Db,
  { device, model, variant }: Pick<Probe, 'device' | 'model' | 'variant'>,
): Promise<boolean> {
  const row = await db
    .selectFrom('probes')
    .select('id')
    .where('model', '=', model)
    .where('device', '=', device)
    .where('variant', '=', variant)
    .where('state', '=', 'measured')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Devices that measure something, each once. */
export async function measuringDevices(db: Db): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('probes')
    .select('device')
    .distinct()
    .where('state', '=', 'ordered')
    .execute()
  return new Set(rows.map(({ device }) => device))
}

function withRivals(db: Db) {
  return db
    .selectFrom('probes')
    .leftJoin('probe_rivals', 'probe_rivals.probe', 'probes.id')
    .leftJoin('probe_kinds', 'probe_kinds.probe', 'probes.id')
    .selectAll('probes')
    .select(['probe_rivals.rival', 'probe_kinds.kind'])
}

function probeOf(
  row: Tables['probes'] & { readonly rival: string | null; readonly kind: string | null },
): Probe {
  return {
    id: row.id,
    model: row.model,
    class: row.class,
    round: row.round,
    variant: row.variant,
    rival: row.rival,
    device: row.device,
    match: row.kind === 'soak' ? row.kind : null,
    state: stateSchema.parse(row.state),
    record: readJsonOrNull(probeRecordSchema, row.record),
    error: readJsonOrNull(refusalSchema, row.error),
    orderedAt: row.ordered_at,
    deadline: row.deadline,
    finishedAt: row.finished_at,
  }
}
