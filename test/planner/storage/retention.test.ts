import { sql } from 'kysely'
import t from 'tap'
import { DEFAULT_RETENTION, prune } from '../../../planner/conductor/index.ts'
import {
  audit,
  type Db,
  memberships,
  PRUNE,
  probes,
  rollouts,
} from '../../../planner/storage/index.ts'
import { bytesOf, liveThrough } from './a-year.ts'
import { DATABASES } from './databases.ts'

const WEEKS = 40

for (const database of DATABASES) {
  const skip = database.skip ?? false
  t.test(`what is forgotten, and what is not, on ${database.name}`, { skip }, async (t) => {
    const created = await database.create(t)
    const opened = await created.open()
    t.teardown(opened.close)
    const { db } = opened
    const sizes: number[] = []
    await liveThrough(opened, {
      ...{ devices: 3, weeks: WEEKS, retention: DEFAULT_RETENTION },
      onWeek: () => sizes.push(database.name === 'sqlite' ? bytesOf(created.data) : 0),
    })
    const count = async (table: string) => {
      const { rows } = await sql<{
        count: number
      }>`select count(*) as count from ${sql.table(table)}`.execute(db)
      return Number(rows[0]?.count)
    }
    const weeks = (days: number) => Math.ceil(days / 7) + 1
    t.equal(await count('devices'), 3)
    t.ok((await count('reports')) <= 3 * 5 * 2, 'reports of the last week or so')
    t.ok((await count('rollout_devices')) <= 3 * weeks(90))
    t.ok((await count('orders')) <= 3 * weeks(90))
    t.ok((await count('order_artifacts')) <= 9 * weeks(90), 'with what they allowed')
    t.ok((await count('health_days')) <= 3 * 42)
    t.equal(await count('audit'), 50 * WEEKS, 'the audit is younger than it is kept')
    t.equal((await rollouts.rolloutsOf(db, 'motor')).length, WEEKS, 'rollouts themselves stay')
    const [present] = await rollouts.rolloutsOf(db, 'motor')
    t.equal((await rollouts.membersOf(db, present?.id ?? '')).length, 3)
    t.ok(await rollouts.lastMemberOf(db, 'd000001', 'motor'), 'where a device stands is known')
    if (database.name === 'sqlite') {
      const audits = (50 * WEEKS * 200) / 2
      const [half = 0, end = 0] = [sizes[WEEKS / 2], sizes.at(-1)]
      t.ok(end < half + audits + 400_000, `${half} bytes after half of it, ${end} at the end`)
    }

    await t.test('what is kept by number goes from the oldest on', async (t) => {
      const few = { ...DEFAULT_RETENTION, audit: { days: 9_999, rows: 30 } }
      const signal = new AbortController().signal
      const removed = await prune(db, { retention: few, now: new Date(0), signal, pauseMs: 0 })
      t.equal(removed.audit, 50 * WEEKS - 30)
      const left = await audit.readAudit(db, { limit: 100 })
      t.equal(left.length, 30)
    })

    await t.test('a device that no later rollout took keeps its last place', async (t) => {
      const now = new Date('2029-01-01T00:00:00.000Z')
      const old = await rollouts.addRollout(
        db,
        {
          ...{ model: 'm', modelName: 'other', class: 'c', selection: 1, state: 'superseded' },
          options: present?.options as never,
          reason: '',
        },
        new Date('2027-01-01T00:00:00.000Z'),
      )
      const member = { rollout: old.id, device: 'd9', wave: 0, variant: null, previous: null }
      await memberships.putMembers(
        db,
        [{ ...member, state: 'active', orderId: null, attempt: 1 }],
        new Date('2027-01-01T00:00:00.000Z'),
      )
      await prune(db, {
        ...{ retention: DEFAULT_RETENTION, now, signal: new AbortController().signal },
        pauseMs: 0,
      })
      t.equal((await rollouts.membersOf(db, old.id)).length, 1)
    })

    await t.test('probes go with a later round only', async (t) => {
      await probeOf(db, 'old', 1)
      await probeOf(db, 'present', 2)
      await sql`insert into pipelines (model, class, stage, waiting, stuck, round, updated_at)
        values ('m', 'c', 'done', '', 0, 2, '')`.execute(db)
      const walk = { before: new Date('2029-01-01'), rows: 1, from: '', size: 10 }
      t.equal((await PRUNE.probes(db, walk)).removed, 1)
      t.equal(await probes.findProbe(db, 'old'), undefined)
      t.ok(await probes.findProbe(db, 'present'))
      t.equal(await count('probes'), 1)
      t.equal(await count('probe_rivals'), 1, 'with what they were measured beside')
      t.equal(await count('probe_kinds'), 1, 'and what they were')
    })
  })
}

async function probeOf(db: Db, id: string, round: number): Promise<void> {
  const at = '2027-01-01T00:00:00.000Z'
  const about = { model: 'm', class: 'c', round, variant: 'v', rival: 'w', device: 'd' }
  await probes.addProbe(db, { id, ...about, match: 'soak', orderedAt: at, deadline: at })
  const error = { code: 'x', message: '' }
  await probes.finishProbe(db, id, { state: 'failed', error }, new Date(at))
}
