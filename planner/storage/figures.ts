import { OPEN_STATES } from '../rollout/index.ts'
import { isRaised } from './alarms.ts'
import { lastAuditSeq } from './events.ts'
import type { Db } from './tables.ts'
import { countByState } from './webhooks.ts'

/** So many of what is alike in these labels. */
export interface Count {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What there is, in counts; each is one look at an index or at a short table. */
export interface Figures {
  readonly devices: readonly Count[]
  readonly retired: number
  readonly alarms: readonly Count[]
  readonly rollouts: readonly Count[]
  readonly members: readonly Count[]
  readonly pipelines: readonly Count[]
  readonly openProbes: number
  readonly reports: number
  readonly auditEntries: number
  readonly artifactBytes: number
  readonly deliveries: readonly Count[]
}

export async function readFigures(db: Db): Promise<Figures> {
  const deliveries = await countByState(db)
  return {
    devices: await devicesByClass(db),
    retired: await countOf(db.selectFrom('retired_devices').select((q) => q.fn.countAll().as('n'))),
    alarms: await raisedByModel(db),
    rollouts: await rolloutsByState(db),
    members: await membersOfOpen(db),
    pipelines: await pipelinesByStage(db),
    openProbes: await countOf(
      db
        .selectFrom('probes')
        .select((q) => q.fn.countAll().as('n'))
        .where('state', '=', 'ordered'),
    ),
    reports: await countOf(
      db
        .selectFrom('reports')
        .select((q) => q.fn.countAll().as('n'))
        .where('handled_at', 'is', null),
    ),
    auditEntries: await lastAuditSeq(db),
    artifactBytes: await countOf(
      db.selectFrom('artifacts').select((q) => q.fn.sum('bytes').as('n')),
    ),
    deliveries: deliveries.map(({ deliveries: value, ...labels }) => ({ labels, value })),
  }
}

async function countOf(query: { executeTakeFirst(): Promise<{ n: unknown } | undefined> }) {
  return Number((await query.executeTakeFirst())?.n ?? 0)
}

async function devicesByClass(db: Db): Promise<Count[]> {
  const rows = await db
    .selectFrom('class_tallies')
    .select(['class', 'online', 'devices'])
    .where('devices', '!=', 0)
    .execute()
  return rows.map((row) => ({
    labels: { class: row.class, state: row.online === 1 ? 'online' : 'offline' },
    value: Number(row.devices),
  }))
}

async function raisedByModel(db: Db): Promise<Count[]> {
  const rows = await db
    .selectFrom('alarms')
    .select((q) => ['model_name', q.fn.countAll().as('n')])
    .where(isRaised())
    .groupBy('model_name')
    .execute()
  return rows.map(({ model_name: model, n }) => ({ labels: { model }, value: Number(n) }))
}

async function rolloutsByState(db: Db): Promise<Count[]> {
  const rows = await db
    .selectFrom('rollouts')
    .select((q) => ['state', q.fn.countAll().as('n')])
    .groupBy('state')
    .execute()
  return rows.map(({ state, n }) => ({ labels: { state }, value: Number(n) }))
}

async function membersOfOpen(db: Db): Promise<Count[]> {
  const rows = await db
    .selectFrom('rollout_tallies')
    .innerJoin('rollouts', 'rollouts.id', 'rollout_tallies.rollout')
    .select((q) => [
      'rollouts.model_name',
      'rollouts.class',
      'rollout_tallies.state',
      q.fn.sum('rollout_tallies.devices').as('n'),
    ])
    .where('rollouts.state', 'in', [...OPEN_STATES])
    .groupBy(['rollouts.model_name', 'rollouts.class', 'rollout_tallies.state'])
    .execute()
  return rows.map((row) => ({
    labels: { model: row.model_name, class: row.class, state: row.state },
    value: Number(row.n),
  }))
}

async function pipelinesByStage(db: Db): Promise<Count[]> {
  const rows = await db
    .selectFrom('pipelines')
    .select((q) => ['stage', q.fn.countAll().as('n')])
    .groupBy('stage')
    .execute()
  return rows.map(({ stage, n }) => ({ labels: { stage }, value: Number(n) }))
}
