import { setTimeout as sleep } from 'node:timers/promises'
import type { KyselyPlugin } from 'kysely'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { DEFAULT_LIMITS } from '../../../planner/fleet/limits.ts'
import { SampleCollector } from '../../../planner/fleet/sample-collector.ts'
import { Turns } from '../../../planner/fleet/turns.ts'
import { createSampleStore } from '../../../planner/samples/index.ts'
import {
  capturedSamples,
  type Db,
  devices,
  orders,
  reports,
} from '../../../planner/storage/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import type { Order } from '../../../shared/messages/index.ts'
import { sampleAck } from '../../shared/messages/samples.ts'
import { until } from '../fleet/devices.ts'
import { DATABASES } from './databases.ts'
import { birth } from './sample.ts'

/** A fleet that comes or goes at once costs a statement for all of it, not one for each. */
const MANY = 200
const at = new Date('2026-11-23T10:00:00.000Z')
const later = new Date('2026-11-23T11:00:00.000Z')
const names = Array.from({ length: MANY }, (_, index) => `d${index}`)

for (const database of DATABASES) {
  t.test(database.name, { skip: database.skip ?? false }, async (t) => {
    t.test('devices that end together are told apart by their epochs', async (t) => {
      const { db, statements } = await fresh(t)
      await devices.recordBirths(
        db,
        names.map((device) => ({ device, birth: birth(2) })),
        at,
      )
      // Every other one speaks of a session that is gone, and the first says it twice.
      const said = [...names, 'd0', 'nobody'].map((device, index) => ({
        device,
        epoch: { connection: index % 2 === 0 ? 2 : 1, start: 'start-1' },
      }))
      const before = statements()
      const news = await devices.recordDeaths(db, said, later)
      t.equal(statements() - before, 1)
      t.same(
        news,
        said.map(({ device, epoch }) => device !== 'nobody' && epoch.connection === 2),
      )
      t.equal(await devices.isOnline(db, 'd0'), false)
      t.equal(await devices.isOnline(db, 'd1'), true, 'the death of an older session')
      t.same(await devices.recordDeaths(db, [], later), [])
    })

    t.test('devices without samples are asked about together', async (t) => {
      const { db, data, statements } = await fresh(t)
      const log = pino({ level: 'silent' })
      const keeping = { quotaBytes: 2 ** 20, keptMs: 3_600_000 }
      const desk = createSampleStore({ data, db, now: () => at, log, ...keeping })
      const turns = new Turns(DEFAULT_LIMITS.collecting)
      const [offering, settled] = ['d7', 'd9']
      const [offered, refused] = ['offered', 'refused'].map((text) => digestOf(text)) as [
        string,
        string,
      ]
      await capturedSamples.offer(db, offering, 'motor', [{ digest: offered, bytes: 10 }], at)
      await capturedSamples.offer(db, settled, 'motor', [{ digest: refused, bytes: 10 }], at)
      await capturedSamples.recordRefused(db, settled, refused, 'no sample', at)
      const sent: { readonly device: string; readonly order: Order }[] = []
      const collectors = names.map(
        (device) =>
          new SampleCollector({
            ...{ device, desk, turns, log, limits: { ...DEFAULT_LIMITS, collectMs: 10 } },
            send: async (order) => void sent.push({ device, order }),
            onGarbage: (reason) => t.fail(reason),
          }),
      )
      const before = statements()
      for (const collector of collectors) collector.begin()
      await until(() => sent.length === 2)
      await sleep(50)
      for (const collector of collectors) collector.stop()
      t.ok(statements() - before < 12, `${statements() - before} statements for ${MANY} devices`)
      t.match(
        sent.find(({ device }) => device === offering),
        { order: { kind: 'collect', sample: offered } },
      )
      t.match(
        sent.find(({ device }) => device === settled),
        { order: { kind: 'collected', samples: [refused] } },
      )
    })

    t.test('orders that many acknowledge are one statement, and each its own', async (t) => {
      const { db, statements } = await fresh(t)
      await devices.recordBirths(
        db,
        names.map((device) => ({ device, birth: birth(1) })),
        at,
      )
      const added = names.map((device) => ({
        device,
        order: { v: 1, id: `of ${device}`, kind: 'cancel', order: 'probe' } as const,
        artifacts: [],
      }))
      await orders.addOrders(db, added, at, null)
      const said = names.map((device) => ({ device, order: `of ${device}` }))
      const stranger = { device: 'd1', order: 'of d0' }
      const before = statements()
      const kinds = await orders.ackOrders(db, [...said.slice(1), stranger], later)
      t.equal(statements() - before, 1)
      t.equal(kinds.size, MANY - 1)
      t.equal(kinds.has('of d0'), false, 'only its own device can')
      t.equal(
        (await orders.ackOrders(db, said, later)).size,
        1,
        'what is acknowledged was open once',
      )
      t.equal((await orders.findOrder(db, 'of d0'))?.state, 'acked')
    })

    t.test('of many reports each is new once, whichever statement it is in', async (t) => {
      const { db } = await fresh(t)
      const ids = Array.from({ length: MANY }, (_, index) => `r${index % 150}`)
      const said = ids.map((id) => ({ device: 'd0', report: sampleAck(id) }))
      const outcomes = await reports.storeReports(db, said, at)
      t.same(
        outcomes,
        ids.map((_, index) => (index < 150 ? 'new' : 'duplicate')),
      )
      const stored = await reports.unhandledReports(db, MANY)
      t.same(
        stored.map(({ report }) => report.id),
        ids.slice(0, 150),
        'in their order',
      )
    })

    async function fresh(t: Test) {
      const { data, open } = await database.create(t)
      const opened = await open()
      t.teardown(() => opened.close())
      let count = 0
      const counting: KyselyPlugin = {
        transformQuery: ({ node }) => {
          count += 1
          return node
        },
        transformResult: async ({ result }) => result,
      }
      const db: Db = opened.db.withPlugin(counting)
      return { db, data, statements: () => count }
    }
  })
}
