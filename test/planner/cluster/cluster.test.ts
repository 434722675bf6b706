import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { commit } from '../../../planner/conductor/index.ts'
import { audit, openDatabase } from '../../../planner/storage/index.ts'
import { NO_FAIL_POINTS } from '../../../shared/fail-points.ts'
import { CutWire, enter, groundOf, isSharedOut, skip, TTL_MS, until } from './grounds.ts'

t.setTimeout(300_000)

t.test('three that start together share everything out, and one leads', { skip }, async (t) => {
  const ground = await groundOf(t)
  // Each makes the tables, or finds them made: nothing is there when they begin.
  const databases = await Promise.all([ground.open(), ground.open(), ground.open()])
  const all = await Promise.all(databases.map((database) => enter(t, database)))
  await until(() => isSharedOut(all))
  t.equal(all.filter((one) => one.leads()).length, 1)
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(
    databases[0].db,
  )
  t.equal(new Set(rows.map(({ name }) => name)).size, rows.length, 'every migration ran once')

  await t.test(
    'one that leaves hands over at once, one that falls silent when its lease ends',
    async (t) => {
      const [first, second, third] = all
      if (!first || !second || !third) return
      await first.cluster.close()
      t.same(first.owned(), [], 'who left has nothing')
      await until(() => isSharedOut([second, third]))
      t.equal([second, third].filter((one) => one.leads()).length, 1)
      // Its process would be gone; here its database is.
      await second.database.close()
      await until(() => isSharedOut([third]) && third.leads())
      t.same(second.owned(), [], 'nobody else speaks with a device of it')
      t.notOk(second.leads())
    },
  )
})

t.test('what one says the others hear', { skip }, async (t) => {
  const ground = await groundOf(t)
  const one = await enter(t, await ground.open())
  const other = await enter(t, await ground.open())
  const devices = Array.from({ length: 1_000 }, (_, index) => `${'x'.repeat(58)}-${index}`)
  one.cluster.tell({ kind: 'nudge', devices })
  one.cluster.tell({ kind: 'mail' })
  const heard = () =>
    other.heard.flatMap((notice) => (notice.kind === 'nudge' ? notice.devices : []))
  await until(() => heard().length === devices.length)
  t.same(heard(), devices, 'however many there are, and however long their names')
  await until(() => other.heard.some(({ kind }) => kind === 'mail'))
  t.notOk(
    one.heard.some(({ kind }) => kind === 'mail'),
    'and it does not hear itself',
  )
})

t.test('who no longer leads commits nothing', { skip }, async (t) => {
  const ground = await groundOf(t)
  const [one, other] = [await ground.open(), await ground.open()]
  const leader = await enter(t, one)
  t.ok(leader.leads())
  const note = { actor: 'planner', subject: 'x', detail: {} }
  const fenced = {
    db: one.db,
    failPoints: NO_FAIL_POINTS,
    fence: (trx: typeof one.db) => leader.cluster.fence(trx),
  }
  await commit(fenced, 'model.added', (trx) =>
    audit.writeAudit(trx, { ...note, action: 'while leading' }, new Date()),
  )
  // As after a sleep: somebody else has it, and this one has not looked since.
  await sql`update claims set holder = 'somebody', term = term + 1 where name = 'conductor'`.execute(
    other.db,
  )
  await t.rejects(
    commit(fenced, 'model.added', (trx) =>
      audit.writeAudit(trx, { ...note, action: 'too late' }, new Date()),
    ),
    { code: 'superseded' },
  )
  const entries = await audit.readAudit(other.db, { limit: 10 })
  t.same(
    entries.map(({ action }) => action),
    ['while leading'],
  )
})

t.test('a planner that is cut off in a commit ends, and another goes on', { skip }, async (t) => {
  const ground = await groundOf(t)
  const wire = await CutWire.to(t, ground.url)
  const near = await ground.open(wire.url)
  const leader = await enter(t, near)
  const other = await enter(t, await ground.open())
  t.ok(leader.leads())
  let isLost: Error | undefined
  void leader.cluster.lost.then((error) => {
    isLost = error
  })
  const note = { actor: 'planner', action: 'half', subject: 'x', detail: {} }
  const half = commit(
    {
      db: near.db,
      failPoints: NO_FAIL_POINTS,
      fence: (trx) => leader.cluster.fence(trx),
    },
    'model.added',
    async (trx) => {
      await audit.writeAudit(trx, note, new Date())
      wire.cut()
    },
  )
  half.catch(() => {})
  await until(() => !leader.leads())
  t.same(leader.owned(), [], 'it has nothing by its own clock, before anybody told it')
  await until(() => isLost !== undefined)
  t.match(isLost, { code: 'cut-off', message: /did not answer/ })
  await until(() => other.leads() && isSharedOut([other]))
  t.same(
    await audit.readAudit(other.database.db, { limit: 10 }),
    [],
    'of the commit nothing is there',
  )
  wire.end()
})

t.test('leases go by the clock of the database', { skip }, async (t) => {
  const ground = await groundOf(t)
  const minutes = (count: number) => () => new Date(Date.now() + 60_000 * count)
  const behind = await enter(t, await ground.open(), { now: minutes(-4) })
  const ahead = await enter(t, await ground.open(), { now: minutes(4) })
  await until(() => isSharedOut([behind, ahead]))
  await new Promise((resolve) => setTimeout(resolve, 2 * TTL_MS))
  t.ok(isSharedOut([behind, ahead]), 'eight minutes apart, nobody takes the other for gone')
  t.ok(behind.leads())
  await t.rejects(enter(t, await ground.open(), { now: minutes(90) }), {
    code: 'other-clock',
    message: /90 min ahead/,
  })
})

t.test('who does not belong is told why', { skip }, async (t) => {
  const ground = await groundOf(t)
  await enter(t, await ground.open())
  await t.rejects(enter(t, await ground.open(), { fleet: 'other' }), { code: 'other-fleet' })
  await t.rejects(enter(t, await ground.open(), { anchor: 'b' }), {
    code: 'other-trust',
    message: /--shared/,
  })
  const alone = openDatabase({ data: `${t.testdir({})}/alone`, url: ground.url })
  await t.rejects(alone, { code: 'in-use' }, 'a planner with a broker of its own works alone')
})

t.test('a database that gives out no more connections says so', { skip }, async (t) => {
  const ground = await groundOf(t)
  const { db } = await ground.open()
  const role = `few_${Date.now()}`
  await sql.raw(`create role ${role} login password 'few' connection limit 1`).execute(db)
  t.teardown(() => sql.raw(`drop role ${role}`).execute(db))
  const few = new URL(ground.url)
  few.username = role
  few.password = 'few'
  const taken = new pg.Client({ connectionString: few.href })
  await taken.connect()
  await t.rejects(ground.open(few.href), {
    code: 'no-connection',
    message: /no connection left: a planner takes \d; raise max_connections/,
  })
  await taken.end()
})

t.test('a newer planner’s tables: who runs goes on, who starts is refused', { skip }, async (t) => {
  const ground = await groundOf(t)
  const running = await enter(t, await ground.open())
  await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '')`.execute(
    running.database.db,
  )
  await sql`alter table planners add column zone text`.execute(running.database.db)
  await t.rejects(ground.open(), { code: 'newer' })
  await new Promise((resolve) => setTimeout(resolve, 2 * TTL_MS))
  t.ok(running.leads() && isSharedOut([running]))
})

t.test('who leaves leaves nothing behind', { skip }, async (t) => {
  const ground = await groundOf(t)
  const { cluster, database } = await enter(t, await ground.open())
  await cluster.close()
  await cluster.close()
  const { rows } = await sql`select * from claims where holder is not null`.execute(database.db)
  t.same(rows, [])
})
