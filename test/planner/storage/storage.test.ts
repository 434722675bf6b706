import t, { type Test } from 'tap'
import { readAudit, writeAudit } from '../../../planner/storage/audit.ts'
import {
  devices,
  memberships,
  models,
  type OutboxOrder,
  orders,
  PRUNE,
  pipelines,
  probes,
  reports,
  rollouts,
  selections,
  variants,
} from '../../../planner/storage/index.ts'
import type { Report } from '../../../shared/messages/reports.ts'
import { DATABASES } from './databases.ts'
import { birth, newModel } from './sample.ts'

const at = new Date('2026-11-23T10:00:00.000Z')
const later = new Date('2026-11-23T11:00:00.000Z')

const ack = (id: string): Report => ({
  v: 1,
  id,
  at: at.toISOString(),
  kind: 'ack',
  order: 'order-1',
})

const cancel = (id: string): OutboxOrder => ({ v: 1, id, kind: 'cancel', order: 'x' })

for (const database of DATABASES) {
  t.test(database.name, { skip: database.skip ?? false }, async (t) => {
    t.test('devices: sessions are told apart by their epochs', async (t) => {
      const { db } = await fresh(t)
      t.equal(await devices.recordBirth(db, 'd1', birth(2), at), 'new')
      t.equal(await devices.recordBirth(db, 'd1', birth(2), at), 'known', 'said again: no harm')
      t.equal(await devices.recordBirth(db, 'd1', birth(1), at), false, 'an older one is late')
      t.equal(await devices.recordDeath(db, 'd1', { start: 'start-1', connection: 1 }, at), false)
      t.equal(
        await devices.isOnline(db, 'd1'),
        true,
        'the death of an older session changes nothing',
      )
      t.equal(await devices.recordDeath(db, 'd1', { connection: 2, start: 'start-1' }, later), true)
      t.equal(await devices.isOnline(db, 'd1'), false)
      t.equal(
        await devices.recordBirth(db, 'd1', birth(2), at),
        'known',
        'asked, it says it is alive',
      )
      t.equal(await devices.recordBirth(db, 'd1', birth(3), later), 'known')
      const device = await devices.findDevice(db, 'd1')
      t.match(device, {
        online: true,
        epoch: { connection: 3 },
        report: { board: { source: 'device-tree' } },
      })
    })

    t.test('devices: a planner that restarts knows nobody until births tell', async (t) => {
      const { db } = await fresh(t)
      await devices.recordBirth(db, 'd1', birth(1), at)
      await devices.forgetPresence(db)
      t.equal(await devices.isOnline(db, 'd1'), false)
      t.equal(
        await devices.recordBirth(db, 'd1', birth(1), at),
        'known',
        'the same session says birth again',
      )
      t.equal(await devices.isOnline(db, 'd1'), true)
    })

    t.test('devices: class, room and garbage', async (t) => {
      const { db } = await fresh(t)
      await devices.recordBirth(db, 'd1', birth(1), at)
      await devices.recordClass(db, 'd1', {
        class: 'rpi4',
        reason: ['compatible raspberrypi,4-model-b'],
        storageRoom: 5e9,
        memoryRoom: null,
      })
      await devices.noteGarbage(db, 'd1', 'reports: not JSON')
      await devices.noteGarbage(db, 'd1', 'birth: too long')
      t.match(await devices.devicesOfClass(db, 'rpi4'), [
        {
          id: 'd1',
          storageRoom: 5e9,
          memoryRoom: null,
          garbage: 2,
          garbageNote: 'birth: too long',
        },
      ])
      t.same(await devices.devicesOfClass(db, 'other'), [])
    })

    t.test('reports: the inbox tells duplicates, and hands out each once', async (t) => {
      const { db } = await fresh(t)
      t.equal(await reports.storeReport(db, 'd1', ack('r1'), at), 'new')
      t.equal(await reports.storeReport(db, 'd1', ack('r1'), at), 'duplicate')
      t.equal(await reports.storeReport(db, 'd2', ack('r1'), at), 'new', 'ids are the device’s own')
      const [first] = await reports.unhandledReports(db, 10)
      t.match(first, { device: 'd1', report: { kind: 'ack', order: 'order-1' } })
      await reports.markHandled(db, [first?.seq ?? -1], at)
      t.same(
        (await reports.unhandledReports(db, 10)).map((r) => r.device),
        ['d2'],
      )
      const all = { before: later, rows: Number.POSITIVE_INFINITY, from: '', size: 10 }
      t.equal((await PRUNE.reports(db, all)).removed, 1, 'a handled one is')
      t.same(
        (await reports.unhandledReports(db, 10)).length,
        1,
        'unhandled ones are never forgotten',
      )
    })

    t.test('models: revisions, intent and reference', async (t) => {
      const { db } = await fresh(t)
      const first = await models.addModel(db, newModel, at)
      const second = await models.addModel(db, { ...newModel, objective: 'size' }, later)
      t.match([first.revision, second.revision], [1, 2])
      t.match(await models.findModel(db, 'motor'), {
        revision: 2,
        objective: 'size',
        intent: 'registered',
      })
      t.equal((await models.listModels(db)).length, 1)
      await models.setIntent(db, second.id, 'rollout', {
        waves: [{ share: 1 }],
        gate: { successShare: 0.9, failureThreshold: 0.2, minimumSample: 3 },
        approval: false,
        revert: true,
        health: null,
      })
      await models.setIntent(db, second.id, 'held')
      t.match(await models.modelById(db, second.id), {
        intent: 'held',
        rolloutOptions: { revert: true },
      })
      t.equal(await models.findModel(db, 'nobody'), undefined)
    })

    t.test(
      'variants: one row per content, builds survive, half-built ones start anew',
      async (t) => {
        const { db } = await fresh(t)
        const row = {
          key: 'k1',
          source: newModel.source,
          scheme: 'float16',
          runtime: 'litert',
        } as const
        await variants.ensureVariant(db, row)
        t.equal((await variants.findVariant(db, 'k1'))?.tuning, null)
        const mixed = { ...row, key: 'k2', tuning: { maxDrop: 0.01 } }
        await variants.ensureVariant(db, mixed)
        await variants.ensureVariant(db, mixed)
        t.match(await variants.findVariant(db, 'k2'), { tuning: { maxDrop: 0.01 } })
        await variants.setVariantState(db, 'k1', 'building')
        await variants.ensureVariant(db, row)
        t.match(await variants.findVariant(db, 'k1'), { state: 'building' })
        await variants.forgetHalfBuilt(db)
        t.match(await variants.findVariant(db, 'k1'), { state: 'planned', bytes: null })
        const digest = 'd'.repeat(64)
        await variants.recordBuilt(
          db,
          'k1',
          { digest, findings: [], losses: [], operators: {}, buildMs: 12.7 },
          at,
        )
        t.match(await variants.variantByDigest(db, digest), {
          key: 'k1',
          state: 'built',
          buildMs: 13,
        })
        await variants.replaceCandidates(db, 'm', 'rpi4', [
          { scheme: 'float16', runtime: 'litert', variant: 'k1', kept: true, reason: 'half' },
          { scheme: 'float32', runtime: 'onnxruntime', variant: null, kept: false, reason: 'no' },
        ])
        await variants.replaceCandidates(db, 'm', 'rpi4', [
          { scheme: 'float16', runtime: 'litert', variant: 'k1', kept: true, reason: 'again' },
        ])
        t.match(await variants.candidatesOf(db, 'm', 'rpi4'), [{ reason: 'again', kept: true }])
        const mixture = { scheme: 'static-w8a8-mixed', runtime: 'litert', variant: 'k2' } as const
        await variants.addCandidate(db, 'm', 'rpi4', { ...mixture, kept: false, reason: 'no' })
        await variants.addCandidate(db, 'm', 'rpi4', { ...mixture, kept: true, reason: 'yes' })
        t.match(await variants.candidatesOf(db, 'm', 'rpi4'), [{}, { reason: 'yes', kept: true }])
      },
    )

    t.test(
      'probes: the first answer counts; a record after giving up is still a record',
      async (t) => {
        const { db } = await fresh(t)
        const probe = {
          id: 'p1',
          model: 'm',
          class: 'rpi4',
          round: 1,
          variant: 'k1',
          rival: null,
          device: 'd1',
          orderedAt: at.toISOString(),
          deadline: later.toISOString(),
        }
        await probes.addProbe(db, probe)
        await probes.addProbe(db, { ...probe, id: 'p2', rival: 'k2' })
        const lost = { state: 'lost', error: { code: 'no-answer', message: 'gone' } } as const
        t.equal(await probes.finishProbe(db, 'p1', lost, later), true)
        t.equal(await probes.finishProbe(db, 'p1', lost, later), false)
        t.same(
          (await probes.probesOf(db, 'm')).filter((p) => p.state === 'ordered').map((p) => p.id),
          ['p2'],
        )
        t.same([...(await probes.measuringDevices(db))], ['d1'])
        const failed = { state: 'failed', error: { code: 'timeout', message: 'slow' } } as const
        t.equal(await probes.finishProbe(db, 'p2', failed, later), true)
        t.match(await probes.probesOf(db, 'm', { class: 'rpi4', round: 1 }), [
          { id: 'p1', state: 'lost', rival: null },
          { id: 'p2', state: 'failed', rival: 'k2', error: { code: 'timeout' } },
        ])
        t.same(await probes.probesOf(db, 'm', { class: 'rpi4', round: 2 }), [])
      },
    )

    t.test('pipelines and selections', async (t) => {
      const { db } = await fresh(t)
      const pipeline = await pipelines.ensurePipeline(db, 'm', 'rpi4', at)
      t.match(pipeline, { stage: 'candidates', round: 1 })
      await pipelines.setStage(
        db,
        pipeline,
        { stage: 'probing', waiting: 'd1 measures float16' },
        at,
      )
      t.match(await pipelines.ensurePipeline(db, 'm', 'rpi4', later), {
        stage: 'probing',
        waiting: 'd1 measures float16',
      })
      await pipelines.startRound(db, 'm', later)
      t.match(await pipelines.pipelinesOf(db, 'm'), [{ stage: 'candidates', round: 2 }])
      const selection = {
        winner: 'k1',
        bestSoFar: 'k1',
        ranking: ['k1'],
        rows: [],
        why: 'only one',
      }
      await selections.addSelection(
        db,
        { model: 'm', class: 'rpi4', round: 1, measured: [], selection },
        at,
      )
      await selections.addSelection(
        db,
        {
          model: 'm',
          class: 'rpi4',
          round: 2,
          measured: [],
          selection: { ...selection, winner: null },
        },
        later,
      )
      const current = await selections.currentSelection(db, 'm', 'rpi4')
      t.match(current, { round: 2, selection: { winner: null, why: 'only one' } })
      t.match(await selections.selectionBySeq(db, (current?.seq ?? 0) - 1), { round: 1 })
    })

    t.test('rollouts: members, forgiveness, counters that only grow', async (t) => {
      const { db } = await fresh(t)
      const options = {
        waves: [{ count: 1 }, { share: 1 }],
        gate: { successShare: 0.9, failureThreshold: 0.2, minimumSample: 3 },
        approval: false,
        revert: false,
        health: null,
      }
      const rollout = await rollouts.addRollout(
        db,
        {
          model: 'm',
          modelName: 'motor',
          class: 'rpi4',
          selection: 1,
          state: 'running',
          options,
          reason: '',
        },
        at,
      )
      const member = {
        rollout: rollout.id,
        device: 'd1',
        wave: 0,
        state: 'ordered',
        variant: 'k1',
        orderId: 'o1',
        attempt: 1,
        previous: null,
      } as const
      await memberships.putMembers(db, [member], at)
      await rollouts.setMemberState(db, member, { state: 'failed', error: 'disk full' }, later)
      await rollouts.forgive(db, rollout.id, ['failed'])
      t.match(await rollouts.memberByOrder(db, 'o1'), {
        state: 'failed',
        forgiven: true,
        error: 'disk full',
      })
      await memberships.putMembers(db, [{ ...member, orderId: 'o2', attempt: 2 }], later)
      t.match(await rollouts.membersOf(db, rollout.id), [
        { state: 'ordered', forgiven: false, error: null, attempt: 2 },
      ])
      await rollouts.moveRollout(
        db,
        rollout.id,
        { state: 'aborted', wave: 1, reason: 'asked' },
        later,
      )
      t.same(await rollouts.openRollouts(db), [])
      t.match(await rollouts.rolloutsOf(db, 'motor'), [{ state: 'aborted', wave: 1, options }])
      const next = async (name: string, when: Date) => {
        const counted = await db
          .transaction()
          .execute((trx) => memberships.countOn(trx, ['d1'], name, when))
        return counted.get('d1')
      }
      const counters = [
        await next('motor', at),
        await next('motor', at),
        await next('other', at),
        await next('motor', later),
        await next('motor', at),
      ]
      const [t0, t1] = [at.getTime() / 1000, later.getTime() / 1000]
      t.same(counters, [t0, t0 + 1, t0, t1, t1 + 1])
      t.match(await rollouts.membershipsOf(db, 'd1', 'motor'), [], 'the rollout is over')
    })

    t.test('orders: sent until acknowledged, fetched from until closed', async (t) => {
      const { db } = await fresh(t)
      const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
      await orders.addOrder(db, 'd1', cancel('o1'), [a, a, b], at, null)
      await orders.addOrder(db, 'd1', cancel('o2'), [], at, later)
      await orders.addOrder(db, 'd2', cancel('o3'), [], at, null)
      const pending = async (when: Date) =>
        (await orders.pendingOrders(db, 'd1', when)).map((o) => o.id)
      t.same(await pending(at), ['o1', 'o2'])
      t.same(await pending(later), ['o1'], 'expired ones are not sent')
      await orders.ackOrder(db, 'd2', 'o1', at)
      t.same(await pending(at), ['o1', 'o2'], 'another device cannot acknowledge it')
      await orders.ackOrder(db, 'd1', 'o1', at)
      t.same(await pending(at), ['o2'])
      t.equal(await orders.mayFetch(db, 'd1', a), true)
      t.equal(await orders.mayFetch(db, 'd2', a), false)
      t.same([...(await orders.openOrderCounts(db, ['d1', 'd2', 'd3']))].sort(), [
        ['d1', 2],
        ['d2', 1],
      ])
      await orders.closeOrder(db, 'o1')
      t.equal(await orders.mayFetch(db, 'd1', a), false)
    })

    t.test('orders that another process of the device took are told again', async (t) => {
      const { db } = await fresh(t)
      const born = (start: string, connection: number) =>
        devices.recordBirth(db, 'd1', birth(connection, { epoch: { start, connection } }), at)
      await born('its copy', 1)
      for (const id of ['o1', 'o2']) await orders.addOrder(db, 'd1', cancel(id), [], at, null)
      await orders.ackOrder(db, 'd1', 'o1', at)
      await orders.ackOrder(db, 'd1', 'o2', at)
      await orders.closeOrder(db, 'o2')
      const pending = async () => (await orders.pendingOrders(db, 'd1', at)).map(({ id }) => id)
      await born('its copy', 2)
      t.same(await pending(), [], 'a new connection of the same process')
      await born('itself', 1)
      t.same(await pending(), ['o1'], 'what is closed is over')
      t.match(await orders.findOrder(db, 'o1'), { state: 'open', wasAcked: true })
    })

    t.test('audit: newest first', async (t) => {
      const { db } = await fresh(t)
      const entry = { actor: 'cli:ann', subject: 'motor', detail: { waves: '1,100%' } }
      await writeAudit(db, { ...entry, action: 'rollout.start' }, at)
      await writeAudit(db, { ...entry, action: 'rollout.abort' }, later)
      await writeAudit(db, { ...entry, action: 'models.add', subject: 'other' }, later)
      t.match(await readAudit(db, { limit: 10, subject: 'motor' }), [
        { action: 'rollout.abort' },
        { action: 'rollout.start', detail: { waves: '1,100%' } },
      ])
      t.equal((await readAudit(db, { limit: 1 })).length, 1)
    })

    t.test('what is committed is there after reopening; a second planner is refused', async (t) => {
      const place = await database.create(t)
      const first = await place.open()
      await devices.recordBirth(first.db, 'd1', birth(1), at)
      await t.rejects(place.open(), { code: 'in-use', message: /another planner.* is running on/ })
      await first.close()
      const again = await place.open()
      t.teardown(() => again.close())
      t.equal((await devices.listDevices(again.db)).length, 1)
    })

    async function fresh(t: Test) {
      const opened = await (await database.create(t)).open()
      t.teardown(() => opened.close())
      return opened
    }
  })
}
