import t, { type Test } from 'tap'
import { applyRolloutEvent, type ConductorContext } from '../../../planner/conductor/index.ts'
import type { RolloutOptions } from '../../../planner/rollout/index.ts'
import { models, rollouts, variants } from '../../../planner/storage/index.ts'
import { newModel } from '../storage/sample.ts'
import { chosenModel } from './chosen-model.ts'
import { openPlanner, type Planner, planner, ScriptedDevice, settle } from './scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'
const HOUR = 3_600_000

interface Fleet {
  readonly planner: Planner
  readonly context: ConductorContext
  readonly devices: ScriptedDevice[]
  readonly digests: { small: string; large: string }
}

async function fleet(t: Test, size: number, over: Partial<RolloutOptions> = {}): Promise<Fleet> {
  const opened = await planner(t)
  const { context } = opened.conductor
  const devices = []
  for (let i = 0; i < size; i += 1) devices.push(await new ScriptedDevice(`d${i}`, opened).join())
  await chosenModel(context, CLASS, over)
  await settle(opened)
  const digestOf = async (key: string) =>
    (await variants.findVariant(context.db, key))?.digest ?? ''
  const digests = { small: await digestOf('small-a'), large: await digestOf('large-a') }
  return { planner: opened, context, devices, digests }
}

async function newest(context: ConductorContext) {
  const [rollout] = await rollouts.rolloutsOf(context.db, 'motor')
  if (!rollout) throw new Error('no rollout')
  const members = await rollouts.membersOf(context.db, rollout.id)
  return {
    rollout,
    state: rollout.state,
    reason: rollout.reason,
    members: Object.fromEntries(members.map(({ device, state }) => [device, state])),
  }
}

async function one<T>(list: Promise<T[]>): Promise<T> {
  const [first, ...rest] = await list
  if (first === undefined || rest.length > 0) throw new Error(`expected one, got ${rest.length}`)
  return first
}

t.test('canary, then the rest; every assignment is signed and counts up', async (t) => {
  const { planner: p, context, devices, digests } = await fleet(t, 3)
  const [a, b, c] = devices as [ScriptedDevice, ScriptedDevice, ScriptedDevice]
  t.same((await newest(context)).members, { d0: 'ordered' })
  t.same(p.nudged, ['d0'])
  t.same(await b.take('assign'), [], 'the second waits for the canary')
  const order = await one(a.take('assign'))
  t.match(await p.assignmentOf(order), {
    device: 'd0',
    model: 'motor',
    variant: digests.small,
    scheme: 'static-w8a8',
    class: CLASS,
    counter: p.clock.now.getTime() / 1000,
    expiresAt: '2026-11-24T12:00:00.000Z',
  })
  t.equal(await p.conductor.store.mayFetch('d0', digests.small), true)
  t.equal(await p.conductor.store.mayFetch('d1', digests.small), false)
  await a.install(order, 'accepted', 'downloading', 'verified', 'installed', 'active')
  t.equal(await p.conductor.store.mayFetch('d0', digests.small), false, 'nothing is open any more')
  t.same((await newest(context)).members, { d0: 'active', d1: 'ordered', d2: 'ordered' })
  for (const device of [b, c]) await device.install(await one(device.take('assign')), 'active')
  t.match(await newest(context), {
    state: 'done',
    members: { d0: 'active', d1: 'active', d2: 'active' },
  })
})

t.test('reports late, twice and out of order change nothing back', async (t) => {
  const { context, devices } = await fleet(t, 1)
  const [device] = devices as [ScriptedDevice]
  const order = await one(device.take('assign'))
  await device.install(
    order,
    'installed',
    'downloading',
    'accepted',
    'active',
    'installed',
    'active',
  )
  t.match(await newest(context), { state: 'done', members: { d0: 'active' } })
})

t.test('a device speaks only for the orders it was given', async (t) => {
  const { context, devices } = await fleet(t, 2)
  const [a, b] = devices as [ScriptedDevice, ScriptedDevice]
  const order = await one(a.take('assign'))
  await b.install(order, 'active')
  t.same((await newest(context)).members, { d0: 'ordered' })
})

t.test(
  'a failed canary pauses; resumed, the rest goes on; retried, it gets another order',
  async (t) => {
    const { context, devices } = await fleet(t, 2)
    const [a, b] = devices as [ScriptedDevice, ScriptedDevice]
    const order = await one(a.take('assign'))
    await a.install(order, 'accepted', 'failed')
    const paused = await newest(context)
    t.match(paused, {
      state: 'paused',
      reason: /0 of 1 devices succeeded/,
      members: { d0: 'failed' },
    })
    t.match(await rollouts.membersOf(context.db, paused.rollout.id), [
      { error: 'disk-full: no room' },
    ])
    await applyRolloutEvent(context, paused.rollout, 'resume', '', 'cli:test')
    await settle(a.planner)
    await b.install(await one(b.take('assign')), 'active')
    t.match(await newest(context), { state: 'done', members: { d0: 'failed', d1: 'active' } })
  },
)

t.test('failures beyond doubt abort, and devices get back what they had', async (t) => {
  const {
    planner: p,
    context,
    devices,
    digests,
  } = await fleet(t, 0, { revert: true, waves: [{ share: 1 }] })
  const slots = [{ model: 'motor', variant: digests.large, active: true }]
  for (const id of ['d0', 'd1', 'd2', 'd3', 'd4']) {
    devices.push(await new ScriptedDevice(id, p).join({ slots }))
  }
  const orders = new Map<ScriptedDevice, Awaited<ReturnType<ScriptedDevice['take']>>[number]>()
  for (const device of devices) orders.set(device, await one(device.take('assign')))
  for (const [index, device] of devices.entries()) {
    const order = orders.get(device)
    if (order?.kind !== 'assign') throw new Error('no order')
    if (index === 0) await device.install(order, 'active')
    else if (index < 4) await device.install(order, 'rolled-back')
  }
  t.match(await newest(context), {
    state: 'aborted',
    reason: /2 of 3 devices failed/,
    members: { d0: 'reverting', d1: 'rolled-back', d2: 'rolled-back', d4: 'reverting' },
  })
  const [first] = devices as [ScriptedDevice]
  const back = await one(first.take('assign'))
  const given = await p.assignmentOf(back)
  t.match(given, { variant: digests.large, scheme: 'float16' })
  await first.install(back, 'active')
  t.match((await newest(context)).members, { d0: 'reverted' })

  const there = { model: 'motor', variant: digests.large, active: true }
  await first.join({ slots: [there] })
  t.same(await first.take('assign'), [], 'it has what it got back')
  await first.join({ slots: [{ ...there, variant: digests.small }] })
  const again = await one(first.take('assign'))
  t.match(await p.assignmentOf(again), { variant: digests.large }, 'lost, and given once more')
  await first.install(again, 'active')
  const lost = { model: 'motor', variant: null, healthy: false, detail: 'spoiled' } as const
  for (let attempt = 3; attempt <= 5; attempt += 1) {
    await first.say({ kind: 'health', ...lost })
    await first.install(await one(first.take('assign')), 'active')
  }
  await first.say({ kind: 'health', ...lost })
  t.same(await first.take('assign'), [], 'but not for ever')
})

t.test('what devices get back is told as the revision that it is of', async (t) => {
  const p = await planner(t)
  const { context } = p.conductor
  const { db, artifacts, now } = context
  const source = 'd'.repeat(64)
  await models.addModel(db, { ...newModel, source }, now())
  const { digest } = await artifacts.put(Buffer.alloc(200_000, 'of old'))
  await variants.ensureVariant(db, { key: 'old', source, scheme: 'float16', runtime: 'litert' })
  const built = { digest, findings: [], losses: [], operators: null, buildMs: 1 }
  await variants.recordBuilt(db, 'old', built, now())
  await chosenModel(context, CLASS, { revert: true, waves: [{ share: 1 }] })
  const slots = [{ model: 'motor', variant: digest, active: true }]
  const devices: ScriptedDevice[] = []
  for (const id of ['d0', 'd1', 'd2', 'd3'])
    devices.push(await new ScriptedDevice(id, p).join({ slots }))
  const given = []
  for (const device of devices) {
    const order = await one(device.take('assign'))
    t.match(await p.assignmentOf(order), { revision: 2 })
    given.push({ device, order })
  }
  for (const [index, { device, order }] of given.entries())
    await device.install(order, index === 0 ? 'active' : 'rolled-back')
  const [first] = devices as [ScriptedDevice]
  t.match(await p.assignmentOf(await one(first.take('assign'))), { variant: digest, revision: 1 })
})

t.test(
  'paused: nothing is sent, not even to a device that appears; late ones catch up afterwards',
  async (t) => {
    const { planner: p, context, devices } = await fleet(t, 1)
    const [a] = devices as [ScriptedDevice]
    await a.install(await one(a.take('assign')), 'active')
    const { rollout } = await newest(context)
    await applyRolloutEvent(context, rollout, 'pause', '', 'cli:test')
    const late = await new ScriptedDevice('late', p).join()
    t.same(await late.take('assign'), [])
    const held = await newest(context)
    await applyRolloutEvent(context, held.rollout, 'resume', '', 'cli:test')
    await settle(p)
    await late.install(await one(late.take('assign')), 'active')
    t.match(await newest(context), { state: 'done', members: { d0: 'active', late: 'active' } })
  },
)

t.test('waves that ask first', async (t) => {
  const { planner: p, context, devices } = await fleet(t, 2, { approval: true })
  const [a, b] = devices as [ScriptedDevice, ScriptedDevice]
  await a.install(await one(a.take('assign')), 'active')
  const waiting = await newest(context)
  t.equal(waiting.state, 'awaiting-approval')
  t.same(await b.take('assign'), [])
  await applyRolloutEvent(context, waiting.rollout, 'approve', '', 'cli:test')
  await settle(p)
  t.equal((await b.take('assign')).length, 1)
})

t.test('a canary that goes offline is replaced, and served when it returns', async (t) => {
  const { context, devices } = await fleet(t, 2)
  const [a, b] = devices as [ScriptedDevice, ScriptedDevice]
  await a.leave()
  t.same((await newest(context)).members, { d0: 'ordered', d1: 'ordered' })
  await b.install(await one(b.take('assign')), 'active')
  t.match(await newest(context), { state: 'done', reason: /1 offline will be served/ })
  await a.join()
  await a.install(await one(a.take('assign')), 'active')
  t.match(await newest(context), { state: 'done', members: { d0: 'active', d1: 'active' } })
})

t.test('an assignment that ran out before it arrived is not sent, a new one is', async (t) => {
  const { planner: p, devices } = await fleet(t, 1)
  const [a] = devices as [ScriptedDevice]
  const [stale] = await p.conductor.store.pendingOrders('d0')
  await a.leave()
  p.clock.now = new Date(p.clock.now.getTime() + 8 * 24 * HOUR)
  t.same(await p.conductor.store.pendingOrders('d0'), [])
  await a.join()
  const order = await one(a.take('assign'))
  t.not(order.id, stale?.id)
  t.match(await p.assignmentOf(order), { expiresAt: '2026-12-02T12:00:00.000Z' })
})

t.test('a device that lost its slot is given the variant again, but not for ever', async (t) => {
  const { context, devices, digests } = await fleet(t, 1)
  const [a] = devices as [ScriptedDevice]
  await a.install(await one(a.take('assign')), 'active')
  await a.join({ slots: [{ model: 'motor', variant: digests.small, active: true }] })
  t.same(await a.take('assign'), [], 'it has what it shall have')
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    await a.join({ slots: [] })
    await a.install(await one(a.take('assign')), 'active')
  }
  await a.join({ slots: [] })
  t.same(await a.take('assign'), [])
  t.match((await newest(context)).members, { d0: 'failed' })
})

t.test('a variant that the device runs ill is a failure, whenever it is told', async (t) => {
  const { context, devices, digests } = await fleet(t, 1)
  const [a] = devices as [ScriptedDevice]
  await a.install(await one(a.take('assign')), 'active')
  await a.say({
    kind: 'health',
    model: 'motor',
    variant: digests.small,
    healthy: false,
    detail: 'NaN',
  })
  t.match((await newest(context)).members, { d0: 'rolled-back' })
})

t.test('a device too small for the winner gets the next that fits, or is told apart', async (t) => {
  const { planner: p, context } = await fleet(t, 0, { waves: [{ share: 1 }] })
  const tiny = await new ScriptedDevice('tiny', p).join({ memoryLimitBytes: 50_000 })
  const noRuntime = await new ScriptedDevice('bare', p).join({ runtimes: [] })
  t.same(await tiny.take('assign'), [])
  t.same(await noRuntime.take('assign'), [])
  t.match((await newest(context)).members, { tiny: 'unfit', bare: 'unfit' })
})

t.test('a newer selection takes the place of an older rollout, and its orders', async (t) => {
  const { planner: p, context, devices } = await fleet(t, 1)
  const [a] = devices as [ScriptedDevice]
  const old = await one(a.take('assign'))
  p.clock.now = new Date(p.clock.now.getTime() + HOUR)
  await chosenModel(context, CLASS, {}, 'b')
  await settle(p)
  const fresh = await one(a.take('assign'))
  const [first, second] = [await p.assignmentOf(old), await p.assignmentOf(fresh)]
  t.not(second.variant, first.variant)
  t.ok(second.counter > first.counter)
  await a.install(old, 'failed')
  await a.install(fresh, 'active')
  t.match(await newest(context), { state: 'done', members: { d0: 'active' } })
  const states = (await rollouts.rolloutsOf(context.db, 'motor')).map(({ state }) => state)
  t.same(states, ['done', 'superseded'])
})

t.test('held: a class that appears is planned for, not rolled out to', async (t) => {
  const { planner: p, context } = await fleet(t, 0)
  const model = await models.findModel(context.db, 'motor')
  await models.setIntent(context.db, model?.id ?? '', 'held')
  await new ScriptedDevice('d9', p).join()
  t.same(await rollouts.rolloutsOf(context.db, 'motor'), [])
})

t.test('a planner that was killed goes on where the database is', async (t) => {
  const data = t.testdir({})
  const first = await openPlanner(data)
  const a = await new ScriptedDevice('d0', first).join()
  const b = await new ScriptedDevice('d1', first).join()
  await chosenModel(first.conductor.context, CLASS)
  await settle(first)
  const order = await one(a.take('assign'))
  // Stored, and the planner dies before it looks at it.
  await first.conductor.close()
  await a.install(order, 'active')
  await first.close()

  const second = await openPlanner(data, {}, first.clock)
  t.teardown(second.close)
  const { context } = second.conductor
  await settle(second)
  t.match((await newest(context)).members, { d0: 'active' })
  t.equal(await second.conductor.store.isOnline('d1'), false, 'nobody is known until births tell')
  a.planner = second
  b.planner = second
  await b.join()
  await b.install(await one(b.take('assign')), 'active')
  t.match(await newest(context), { state: 'done', members: { d0: 'active', d1: 'active' } })
})
