import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../../planner/storage/index.ts'
import { causeOf } from '../../../planner/storage/sqlite-causes.ts'

t.test('what is no database says so', async (t) => {
  const data = t.testdir({})
  writeFileSync(join(data, 'fitment.db'), 'not a database, but long enough to be one, at any rate')
  await t.rejects(openDatabase({ data }), {
    code: 'unreadable',
    message: /fitment\.db.*no database/,
  })
})

t.test('a folder that nobody may write to is not another planner', async (t) => {
  if (process.getuid?.() === 0) {
    t.pass('root may write everywhere')
    return
  }
  const data = join(t.testdir({}), 'planner')
  mkdirSync(data)
  chmodSync(data, 0o555)
  await t.rejects(openDatabase({ data }), { code: 'unusable', message: /belongs to another user/ })
  chmodSync(data, 0o755)
})

t.test('two planners on one database: the second is told of the first', async (t) => {
  const data = t.testdir({})
  const first = await openDatabase({ data })
  await t.rejects(openDatabase({ data }), { code: 'in-use', message: /another planner/ })
  await first.close()
  await (await openDatabase({ data })).close()
})

t.test(
  'a disk that fills in the middle of a transaction is named, and nothing is half written',
  async (t) => {
    const data = t.testdir({})
    const { db, close } = await openDatabase({ data })
    const pages = await sql<{ page_count: number }>`PRAGMA page_count`.execute(db)
    // The file may grow no further: to SQLite that is a full disk.
    await sql.raw(`PRAGMA max_page_count = ${Number(pages.rows[0]?.page_count) + 2}`).execute(db)
    const row = (i: number) => ({
      actor: 'cli:test',
      action: 'test',
      subject: `${i}`,
      detail: JSON.stringify({ text: 'x'.repeat(4000) }),
      at: new Date(0).toISOString(),
    })
    const many = db.transaction().execute(async (trx) => {
      for (let i = 0; i < 50; i += 1) await trx.insertInto('audit').values(row(i)).execute()
    })
    await t.rejects(many, { code: 'full', message: /fitment\.db: no room is left on its disk/ })
    const left = await db.selectFrom('audit').selectAll().execute()
    t.same(left, [])
    await sql`PRAGMA max_page_count = 100000`.execute(db)
    await db.insertInto('audit').values(row(1)).execute()
    t.equal((await db.selectFrom('audit').selectAll().execute()).length, 1, 'and goes on')
    await close()
  },
)

t.test('a database of a later version is left alone', async (t) => {
  const data = t.testdir({})
  const { db, close } = await openDatabase({ data })
  await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-later', '2099-01-01')`.execute(
    db,
  )
  await close()
  await t.rejects(openDatabase({ data }), { code: 'newer', message: /newer version of Fitment/ })
})

t.test('an index of the log that cannot grow is a full disk, and other faults are none', (t) => {
  t.match(causeOf({ code: 'SQLITE_IOERR_SHMSIZE' }), { code: 'full' })
  t.match(causeOf({ code: 'SQLITE_IOERR_WRITE' }), { code: 'unusable' })
  t.end()
})
