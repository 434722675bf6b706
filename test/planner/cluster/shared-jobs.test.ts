import { sql } from 'kysely'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Job } from '../../../planner/conductor/context/jobs.ts'
import { SharedJobs } from '../../../planner/conductor/context/shared-jobs.ts'
import { type Db, models, jobs as rows } from '../../../planner/storage/index.ts'
import { newModel } from '../storage/sample.ts'
import { type Entered, enter, groundOf, skip, until } from './grounds.ts'

interface Done {
  readonly by: string
  readonly variant: string
}

interface Shop {
  readonly jobs: SharedJobs
  readonly entered: Entered
  readonly givenUp: string[]
  stop(): void
}

/** A process that does jobs by writing them down; `hold` keeps one from ending. */
function shopOf(
  t: Test,
  entered: Entered,
  { done, hold }: { readonly done: Done[]; readonly hold?: (job: Job) => Promise<void> },
): Shop {
  const { db } = entered.database
  const stop = new AbortController()
  const givenUp: string[] = []
  const jobs = new SharedJobs({
    ...{ db, cluster: entered.cluster, atOnce: 1, stopping: stop.signal },
    log: pino({ level: 'silent' }),
    async perform(job, fence) {
      await hold?.(job)
      await db.transaction().execute(async (trx: Db) => {
        await fence(trx)
        done.push({ by: entered.cluster.id, variant: job.variant })
      })
    },
    async giveUp({ variant }) {
      givenUp.push(variant)
    },
    onSettled: () => {},
  })
  t.teardown(() => stop.abort())
  return { jobs, entered, givenUp, stop: () => stop.abort() }
}

t.test('jobs are done once, by whoever has room', { skip }, async (t) => {
  const ground = await groundOf(t)
  const database = await ground.open()
  const model = await models.addModel(database.db, newModel, new Date())
  const done: Done[] = []
  const shops = [
    shopOf(t, await enter(t, database), { done }),
    shopOf(t, await enter(t, await ground.open(), { role: 'builder' }), { done }),
  ]
  const variants = Array.from({ length: 24 }, (_, index) => `v${index}`)
  for (const variant of variants) {
    for (const { jobs } of shops) jobs.add({ kind: 'build', model, variant })
  }
  await until(() => {
    for (const { jobs } of shops) jobs.look()
    return done.length >= variants.length
  })
  t.same(done.map(({ variant }) => variant).sort(), [...variants].sort(), 'none twice, none never')
  t.equal(new Set(done.map(({ by }) => by)).size, 2, 'both had some')
  const left = () => sql<{ id: string }>`select id from jobs`.execute(database.db)
  await until(async () => (await left()).rows.length === 0)
})

t.test(
  'whose process is gone loses its job to another, and can no longer end it',
  { skip },
  async (t) => {
    const ground = await groundOf(t)
    const database = await ground.open()
    const model = await models.addModel(database.db, newModel, new Date())
    const done: Done[] = []
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = shopOf(t, await enter(t, database), { done, hold: () => held })
    slow.jobs.add({ kind: 'build', model, variant: 'v' })
    const { db } = database
    await until(() => isBegun(db))
    const other = shopOf(t, await enter(t, await ground.open()), { done })
    await until(async () => {
      // As if its process slept: it says nothing for longer than its lease lasts.
      await sql`update planners set until = 0 where id = ${slow.entered.cluster.id}`.execute(db)
      other.jobs.look()
      return done.length > 0
    })
    t.same(done, [{ by: other.entered.cluster.id, variant: 'v' }])
    release()
    await slow.jobs.close()
    t.equal(done.length, 1, 'what the first made is not taken')
  },
)

t.test('a job that ends whoever does it is given up', { skip }, async (t) => {
  const ground = await groundOf(t)
  const database = await ground.open()
  const { db } = database
  const model = await models.addModel(db, newModel, new Date())
  await rows.addJob(db, { id: 'build v', kind: 'build', model: model.id, variant: 'v' })
  for (let life = 0; life < 4; life += 1) {
    const taken = await rows.takeJob(db, `process-${life}`)
    t.equal(taken?.attempts, life + 1)
  }
  const done: Done[] = []
  const shop = shopOf(t, await enter(t, database), { done })
  await until(() => {
    shop.jobs.look()
    return shop.givenUp.length > 0
  })
  t.same([shop.givenUp, done], [['v'], []])
})

t.test('a planner that stops gives back what it has not finished', { skip }, async (t) => {
  const ground = await groundOf(t)
  const database = await ground.open()
  const { db } = database
  const model = await models.addModel(db, newModel, new Date())
  const shop = shopOf(t, await enter(t, database), {
    done: [],
    hold: () => new Promise((_, reject) => setTimeout(() => reject(new Error('stopped')), 300)),
  })
  shop.jobs.add({ kind: 'build', model, variant: 'v' })
  await until(() => isBegun(db))
  shop.stop()
  await shop.jobs.close()
  const { rows: left } = await sql`select holder, attempts from jobs`.execute(db)
  t.same(left, [{ holder: null, attempts: 0 }], 'as if it had never begun')
})

async function isBegun(db: Db): Promise<boolean> {
  const { rows } = await sql`select seq from jobs where holder is not null`.execute(db)
  return rows.length > 0
}
