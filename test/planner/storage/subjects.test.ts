import t from 'tap'
import {
  deviceLabels,
  devices,
  retirements,
  subjectsInService,
} from '../../../planner/storage/index.ts'
import { DATABASES } from './databases.ts'
import { birth, hardware } from './sample.ts'

const at = new Date('2026-11-30T10:00:00.000Z')
/** More than are read at a time. */
const MANY = 1_203

const nameOf = (index: number) => `d${String(index).padStart(5, '0')}`

for (const database of DATABASES) {
  t.test(database.name, { skip: database.skip ?? false }, async (t) => {
    const opened = await (await database.create(t)).open()
    t.teardown(() => opened.close())
    const { db } = opened
    const found = (index: number) => ({
      class: index % 2 === 0 ? 'even' : 'odd',
      reason: [],
      storageRoom: null,
      memoryRoom: null,
    })
    const all = Array.from({ length: MANY }, (_, index) => ({
      device: nameOf(index),
      birth: birth(1),
      found: found(index),
    }))
    await devices.recordBirths(db, all, at)

    t.test('all of a fleet and of a class, by id, however many they are', async (t) => {
      const subjects = await subjectsInService(db)
      t.same(
        subjects.map(({ device }) => device),
        all.map(({ device }) => device),
      )
      const even = await subjectsInService(db, 'even')
      t.same(
        even.map(({ device }) => device),
        all.map(({ device }) => device).filter((_, index) => index % 2 === 0),
      )
      t.ok(even.every((one) => one.class === 'even'))
    })

    t.test('what selectors may ask, and nobody out of service', async (t) => {
      const report = { ...hardware, board: { ...hardware.board, model: null } }
      const runtimes = [
        { name: 'litert' as const, version: '2.5.3' },
        { name: 'litert' as const, version: '2.4.0' },
        { name: 'onnxruntime' as const, version: '1.20.0' },
      ]
      await devices.recordBirth(db, nameOf(3), birth(2, { report, runtimes }), at)
      await devices.recordDeath(db, nameOf(3), { start: 'start-1', connection: 2 }, at)
      await deviceLabels.putLabelsOf(db, nameOf(3), { site: 'lyon' })
      await retirements.retire(db, nameOf(0), { by: 'ada', reason: 'scrapped' }, at)
      const subjects = await subjectsInService(db)
      t.equal(subjects.length, MANY - 1)
      t.notOk(subjects.some(({ device }) => device === nameOf(0)))
      t.same(
        subjects.find(({ device }) => device === nameOf(3)),
        {
          device: nameOf(3),
          class: 'odd',
          online: false,
          agentVersion: '0.1.0',
          runtimes: ['litert', 'onnxruntime'],
          board: 'Cortex-A72',
          labels: { site: 'lyon' },
        },
      )
      const presence = await devices.presenceOfClass(db, 'odd')
      t.same(presence.slice(0, 2), [
        { id: nameOf(1), online: true },
        { id: nameOf(3), online: false },
      ])
      t.notOk((await devices.presenceOfClass(db, 'even')).some(({ id }) => id === nameOf(0)))
    })
  })
}
