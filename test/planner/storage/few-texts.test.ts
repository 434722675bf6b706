import t from 'tap'
import { filledUp, inPieces } from '../../../planner/storage/few-texts.ts'
import { devices } from '../../../planner/storage/index.ts'
import { DATABASES } from './databases.ts'
import { birth } from './sample.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, index) => `d${index}`)

t.test('the same values in lists of few lengths', async (t) => {
  t.same(filledUp([]), [])
  t.same(filledUp(['a', 'b', 'c']), ['a', 'b', 'c', 'c'])
  const lengths = new Set<number>()
  for (let count = 1; count <= 300; count += 1) {
    const list = filledUp(upTo(count))
    lengths.add(list.length)
    if (new Set(list).size !== count) t.fail(`${count} values are ${new Set(list).size}`)
  }
  t.same([...lengths], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  t.equal(filledUp(upTo(20_000)).length, 20_000, 'a statement has no room for twice as many')
})

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
}
