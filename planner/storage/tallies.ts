import { sql } from 'kysely'
import { type MemberState, OPEN_STATES } from '../rollout/index.ts'
import { memberStateSchema } from './rollouts.ts'
import type { Db } from './tables.ts'

/** Devices of a class, counted by the database as they come and go. */
export interface ClassTally {
  readonly online: number
  readonly offline: number
}

/** Members of a rollout that are alike. */
export interface MemberTally {
  readonly state: MemberState
  readonly forgiven: boolean
  /** `elsewhere`: the device is of another class by now. */
  readonly presence: 'offline' | 'online' | 'elsewhere'
  readonly devices: number
}

const PRESENCES = ['offline', 'online', 'elsewhere'] as const

export async function classTally(db: Db, classId: string): Promise<ClassTally> {
  const rows = await db
    .selectFrom('class_tallies')
    .select(['online', 'devices'])
    .where('class', '=', classId)
    .execute()
  const of = (online: number) => rows.find((row) => row.online === online)?.devices ?? 0
  return { online: of(1), offline: of(0) }
}

/** Right for open rollouts. */
export async function memberTallies(db: Db, rollout: string): Promise<readonly MemberTally[]> {
  const rows = await db
    .selectFrom('rollout_tallies')
    .select(['state', 'forgiven', 'presence', 'devices'])
    .where('rollout', '=', rollout)
    .where('devices', '!=', 0)
    .execute()
  return rows.map(({ state, forgiven, presence, devices }) => ({
    state: memberStateSchema.parse(state),
    forgiven: forgiven === 1,
    presence: PRESENCES[presence] ?? 'elsewhere',
    devices,
  }))
}

/**
 * Counts everything once more and puts right what differs; answers what did. Nothing should: whoever changes rows behind
 * the database's back, or restores half of a backup, is why this is asked now and then.
 */
export async function mendTallies(db: Db): Promise<readonly string[]> {
  const wrong = [...(await mendClasses(db)), ...(await mendRollouts(db))]
  return wrong
}

async function mendClasses(db: Db): Promise<string[]> {
  const counted = await db
    .selectFrom('devices')
    .select((q) => ['class', 'online', q.fn.countAll<number>().as('devices')])
    .where('class', 'is not', null)
    .groupBy(['class', 'online'])
    .execute()
  const kept = await db.selectFrom('class_tallies').selectAll().execute()
  const nameOf = (row: { class: string | null; online: number }) => `${row.class} ${row.online}`
  const found = new Map(counted.map((row) => [nameOf(row), { ...row, class: row.class ?? '' }]))
  const wrong: string[] = []
  for (const row of [...kept.map((one) => ({ ...one, devices: 0 })), ...found.values()]) {
    const devices = Number(found.get(nameOf(row))?.devices ?? 0)
    const known = kept.find((one) => nameOf(one) === nameOf(row))
    if ((known?.devices ?? 0) === devices || wrong.includes(nameOf(row))) continue
    wrong.push(nameOf(row))
    const { class: classId, online } = row
    await db
      .insertInto('class_tallies')
      .values({ class: classId, online, devices })
      .onConflict((conflict) => conflict.columns(['class', 'online']).doUpdateSet({ devices }))
      .execute()
  }
  return wrong
}

async function mendRollouts(db: Db): Promise<string[]> {
  const presence = sql<number>`case when devices.class = rollouts.class then devices.online else 2 end`
  const counted = await db
    .selectFrom('rollout_devices')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_devices.rollout')
    .leftJoin('devices', 'devices.id', 'rollout_devices.device')
    .select((q) => [
      'rollout_devices.rollout',
      'rollout_devices.state',
      'rollout_devices.forgiven',
      presence.as('presence'),
      q.fn.countAll<number>().as('devices'),
    ])
    .where('rollouts.state', 'in', [...OPEN_STATES])
    .groupBy([
      'rollout_devices.rollout',
      'rollout_devices.state',
      'rollout_devices.forgiven',
      presence,
    ])
    .execute()
  const kept = await db
    .selectFrom('rollout_tallies')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_tallies.rollout')
    .selectAll('rollout_tallies')
    .where('rollouts.state', 'in', [...OPEN_STATES])
    .execute()
  type Row = Omit<(typeof kept)[number], 'devices'>
  const nameOf = (row: Row) => `${row.rollout} ${row.state} ${row.forgiven} ${row.presence}`
  const found = new Map(counted.map((row) => [nameOf(row), row]))
  const known = new Map(kept.map((row) => [nameOf(row), row]))
  const wrong: string[] = []
  for (const [name, row] of new Map([...known, ...found])) {
    const devices = Number(found.get(name)?.devices ?? 0)
    if ((known.get(name)?.devices ?? 0) === devices) continue
    wrong.push(name)
    const { rollout, state, forgiven, presence } = row
    await db
      .insertInto('rollout_tallies')
      .values({ rollout, state, forgiven, presence, devices })
      .onConflict((conflict) =>
        conflict.columns(['rollout', 'state', 'forgiven', 'presence']).doUpdateSet({ devices }),
      )
      .execute()
  }
  return wrong
}
