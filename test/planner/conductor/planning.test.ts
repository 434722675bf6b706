import t from 'tap'
import type { Constraints } from '../../../planner/selection/index.ts'
import { models, pipelines, probes, selections, variants } from '../../../planner/storage/index.ts'
import type { SaidProbe } from '../../../shared/messages/orders.ts'
import { askedProbe } from '../../asked-probe.ts'
import {
  openPlanner,
  type Planner,
  planner,
  record,
  ScriptedDevice,
  settle,
} from './scripted-fleet.ts'
import { register } from './small-model.ts'

const CLASS = 'raspberry-pi-4'

async function planned(p: Planner, limits: Partial<Constraints> = {}) {
  const model = await register(p, limits)
  await models.setIntent(p.conductor.context.db, model.id, 'plan')
  return model
}

// Real builds, each in a process of its own, on a machine that may be busy.
t.setTimeout(300_000)

/** Builds are jobs in other processes: looks until they are through. */
async function until<T>(p: Planner, look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    await settle(p)
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const P50: Readonly<Record<string, number>> = {
  float32: 10,
  float16: 10.2,
  'dynamic-w8': 8,
  'static-w8a8': 5,
}

async function answer(device: ScriptedDevice, order: SaidProbe): Promise<void> {
  const p50 = P50[order.scheme] ?? 99
  const result = {
    outcome: 'measured',
    record: record(p50, order.baseline ? p50 / 10 : null),
  } as const
  await device.say({
    kind: 'probe',
    order: order.id,
    model: order.model,
    variant: order.variant,
    result,
  })
}

const probesOf = async (device: ScriptedDevice): Promise<SaidProbe[]> =>
  (await device.take('probe')).map(askedProbe)

/** The one order there is, once there is one: a candidate may still be built. */
const next = (p: Planner, device: ScriptedDevice): Promise<SaidProbe> =>
  until(p, async () => {
    const [order, ...rest] = await probesOf(device)
    if (rest.length > 0) throw new Error(`expected one probe order`)
    return order
  })

t.test('from a registered model to a selection, through a restart in the middle', async (t) => {
  const data = t.testdir({})
  // One build at a time: which of them is measured first is known then.
  const first = await openPlanner(data, { jobsAtOnce: 1 })
  const a = await new ScriptedDevice('a', first).join()
  const model = await planned(first)
  const { store } = first.conductor
  const order = await until(first, async () => (await probesOf(a))[0])
  t.match(order, { scheme: 'dynamic-w8', runtime: 'litert', model: 'motor' })
  // Beside float32, and beside what is built by then.
  const others = order.others?.length ?? 0
  t.equal(order.measureMs, others === 0 ? 1000 : 1500 + 500 * (1 + others))
  t.equal(order.baseline?.artifact.digest, model.source, 'in turns with float32')
  for (const ref of [order.artifact, order.data, order.baseline?.artifact]) {
    t.equal(await store.mayFetch('a', ref?.digest ?? ''), true)
    t.equal(await store.mayFetch('a', ref?.blockList ?? ''), true)
    const file = await store.openArtifact(ref?.blockList ?? '')
    t.ok(file)
    await file?.close()
  }
  t.same(await probesOf(a), [], 'one at a time')
  await answer(a, order)
  t.equal(await store.mayFetch('a', order.artifact.digest), false, 'answered: nothing to fetch')
  const second = await next(first, a)
  await first.close()

  const again = await openPlanner(data, {}, first.clock)
  t.teardown(again.close)
  const { context } = again.conductor
  a.planner = again
  await a.join()
  t.same(await again.conductor.store.pendingOrders('a'), [], 'acknowledged: the device has it')
  await answer(a, second)
  const schemes = [order.scheme, second.scheme]
  t.same(schemes.sort(), ['dynamic-w8', 'static-w8a8'], 'nothing was measured that cannot win')
  const chosen = await until(again, () => selections.currentSelection(context.db, model.id, CLASS))
  const reasonFor = async (scheme: string) => {
    for (const { key, reason } of chosen.selection.rows)
      if ((await variants.findVariant(context.db, key))?.scheme === scheme) return reason
    return undefined
  }
  t.equal(
    await reasonFor('float32'),
    '2.00× the latency of static-w8a8 on litert, measured in turns with it',
  )
  t.match(await reasonFor('float16'), /^computes as float32 does on litert, which takes 2.00×/)
  const half = (await variants.candidatesOf(context.db, model.id, CLASS)).find(
    ({ scheme, kept }) => scheme === 'float16' && kept,
  )
  t.match(await variants.findVariant(context.db, half?.variant ?? ''), { state: 'planned' })
  const winner = await variants.findVariant(context.db, chosen?.selection.winner ?? '')
  t.equal(winner?.scheme, 'static-w8a8')
  t.match(
    chosen?.selection.why,
    /static-w8a8 on litert: best latency, 0.50× float32's latency \(5 ms\)/,
  )
  t.match(await pipelines.pipelinesOf(context.db, model.id), [{ class: CLASS, stage: 'selected' }])

  // A class that appears later is planned for by itself, from the builds there are.
  const late = await new ScriptedDevice('late', again).join({ report: otherBoard() })
  const built = await until(again, async () => (await probesOf(late))[0])
  t.ok(built)
  t.match(await pipelines.pipelinesOf(context.db, model.id), [
    { class: 'generic-arm64', stage: 'probing' },
    { class: CLASS, stage: 'selected' },
  ])
})

t.test('probes without an answer go elsewhere; refusals and small rooms are reasons', async (t) => {
  const p = await planner(t)
  const { context } = p.conductor
  const a = await new ScriptedDevice('a', p).join()
  const model = await planned(p, { maxBytes: 70_000 })
  const order = await until(p, async () => (await probesOf(a))[0])
  const deadline = async () => (await probes.findProbe(context.db, order.id))?.deadline
  const given = await deadline()
  p.clock.now = new Date(p.clock.now.getTime() + 1_000)
  await a.say({ kind: 'ack', order: order.id })
  await settle(p)
  t.equal(await deadline(), given, 'who says again that it has the order gets no more time')
  // The device goes away in the middle; after the deadline another is asked.
  await a.leave()
  const b = await new ScriptedDevice('b', p).join()
  p.clock.now = new Date(p.clock.now.getTime() + 3_600_000)
  await settle(p)
  t.equal(await p.conductor.store.mayFetch('a', order.artifact.digest), false)
  const asked = await next(p, b)
  const askedOfB = [asked.scheme]
  await b.say({
    kind: 'probe',
    order: asked.id,
    model: 'motor',
    variant: asked.variant,
    result: { outcome: 'failed', error: { code: 'out-of-memory', message: 'needs too much' } },
  })
  const chosen = await until(p, async () => {
    for (const order of await probesOf(b)) {
      askedOfB.push(order.scheme)
      await answer(b, order)
    }
    return selections.currentSelection(context.db, model.id, CLASS)
  })
  t.ok(askedOfB.includes(order.scheme), 'what the other did not answer')
  const row = chosen?.selection.rows.find(
    ({ reason }) => /out/.test(reason) || /too much/.test(reason),
  )
  t.match(row, { verdict: 'dropped', reason: 'not measured: b: needs too much' })
  await a.join()
  t.match(await a.take('cancel'), [{ order: order.id }], 'it is told that nobody waits any more')
})

t.test('a budget nothing meets: the best so far is shown, nothing ships', async (t) => {
  const p = await planner(t)
  const { context } = p.conductor
  const a = await new ScriptedDevice('a', p).join({ memoryLimitBytes: 100_000 })
  const model = await planned(p, { maxLatencyMs: 1, maxBytes: 70_000 })
  await until(p, async () => {
    for (const order of await probesOf(a)) await answer(a, order)
    return selections.currentSelection(context.db, model.id, CLASS)
  })
  const chosen = await selections.currentSelection(context.db, model.id, CLASS)
  t.match(chosen?.selection, { winner: null, why: /nothing ships; the nearest is/ })
  t.ok(chosen?.selection.bestSoFar)
  t.match(await pipelines.pipelinesOf(context.db, model.id), [{ stage: 'no-fit' }])
})

function otherBoard() {
  return {
    architecture: 'arm64' as const,
    board: {
      model: 'Some Board',
      vendor: null,
      compatible: ['vendor,some-board'],
      source: 'device-tree' as const,
    },
    cpu: {
      model: 'Cortex-A55',
      cores: 4,
      features: ['neon' as const],
      parts: [{ implementer: '0x41', part: '0xd05', count: 4 }],
      maxMhz: 1800,
    },
    accelerators: [],
    memory: { totalBytes: 2e9, availableBytes: 1e9 },
    storage: { totalBytes: 8e9, freeBytes: 4e9 },
    thermalZones: [],
    os: { kernel: '6.6', distribution: null, libc: null },
    battery: null,
    emulated: true,
  }
}
