import t from 'tap'
import { areAmong, inPieces, isAmong, rowsInto } from '../../../planner/storage/few-texts.ts'
import { devices } from '../../../planner/storage/index.ts'
import { DATABASES } from './databases.ts'
import { birth } from './sample.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, index) => `d${index}`)

t.test('all in their order, in pieces of few lengths', async (t) => {
  for (const count of [0, 1, 63, 64, 65, 300]) {
    const pieces = [...inPieces(upTo(count), 64)]
    t.same(pieces.flat(), upTo(count))
    t.ok(pieces.every(({ length }) => Number.isInteger(Math.log2(length)) && length <= 64))
  }
})

for (const database of DATABASES) {
  t.test(`batches of any size: ${database.name}`, { skip: database.skip ?? false }, async (t) => {
    const opened = await (await database.create(t)).open()
    t.teardown(() => opened.close())
    const { db } = opened
    const at = new Date('2026-11-30T10:00:00.000Z')
    for (const count of [1, 3, 67, 256]) {
      const born = upTo(count).map((device) => ({ device, birth: birth(count) }))
      const known = new Set(await devices.knownDevices(db))
      t.same(
        await devices.recordBirths(db, born, at),
        born.map(({ device }) => (known.has(device) ? 'known' : 'new')),
      )
      const epoch = { start: 'start-1', connection: count }
      const dead = born.map(({ device }) => ({ device, epoch }))
      t.same(
        await devices.recordDeaths(db, dead, at),
        dead.map(() => true),
      )
    }
    t.equal((await devices.knownDevices(db)).length, 256)
  })

  t.test(`lists as one value: ${database.name}`, { skip: database.skip ?? false }, async (t) => {
    const opened = await (await database.create(t)).open()
    t.teardown(() => opened.close())
    const { db } = opened
    const strange = ['a', 'a"b', "it's", '{x,y}', 'null', '1', '', 'ü\\']
    const put = rowsInto('device_zones', ['device', 'zone'], { key: ['device'], changes: ['zone'] })
    const leave = rowsInto('device_zones', ['device', 'zone'], { key: ['device'], changes: [] })
    const rows = strange.map((device) => ({ device, zone: `of ${device}` }))
    await put(db, rows)
    await put(db, [{ device: 'a', zone: 'newer' }])
    await leave(db, [{ device: 'a', zone: 'newest' }])
    await put(db, [])
    await db.transaction().execute((trx) => put(trx, [{ device: 'b', zone: 'of b' }]))
    const found = async (condition: ReturnType<typeof isAmong>) => {
      const all = await db.selectFrom('device_zones').select('device').where(condition).execute()
      return all.map(({ device }) => device).sort()
    }
    t.same(await found(isAmong(db, 'device', strange)), [...strange].sort())
    t.same(await found(isAmong(db, 'device', ['1', 'b', 'nobody'])), ['1', 'b'])
    t.same(await found(isAmong(db, 'device', [])), [])
    const pairs = strange.map((device) => [device, `of ${device}`] as const)
    t.same(
      await found(areAmong(db, ['device', 'zone'], pairs)),
      strange.filter((device) => device !== 'a').sort(),
    )
    t.same(await found(areAmong(db, ['device', 'zone'], [['a', 'newer']])), ['a'])
  })
}
