import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readAlarms, readHealth } from '../../../planner/api/health/read-health.ts'
import { applyRolloutEvent } from '../../../planner/conductor/index.ts'
import { parseConditions } from '../../../planner/health/index.ts'
import {
  alarms,
  audit,
  health,
  models,
  probes,
  rollouts,
  variants,
} from '../../../planner/storage/index.ts'
import type { Observations } from '../../../shared/messages/index.ts'
import { referenceOf, type SeenOptions, seenOf } from '../health/observations.ts'
import { chosenModel } from './chosen-model.ts'
import { openPlanner, type Planner, record, ScriptedDevice, settle } from './scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'
const HOUR = 3_600_000
const GATE = { watchMs: 2 * HOUR, conditions: [...parseConditions('drift<0.2,p95<1.3x')] }

interface Fleet {
  readonly planner: Planner
  readonly data: string
  readonly devices: ScriptedDevice[]
  /** A window of the variant that is rolled out. */
  readonly seen: (over?: Partial<SeenOptions>) => Observations
}

async function fleet(t: Test, size: number): Promise<Fleet> {
  const data = t.testdir({})
  const planner = await openPlanner(data)
  t.teardown(planner.close)
  const { context } = planner.conductor
  const { db, artifacts, now } = context
  const devices = []
  for (let i = 0; i < size; i += 1) devices.push(await new ScriptedDevice(`d${i}`, planner).join())
  const before = await chosenModel(context, CLASS, {}, 'a')
  await settle(planner)
  for (let wave = 0; wave < 2; wave += 1)
    for (const device of devices)
      for (const order of await device.take('assign')) await device.install(order, 'active')
  await models.setIntent(db, before.id, 'plan')
  planner.clock.now = new Date(planner.clock.now.getTime() + 1_000)
  // The next revision, with what its observations are counted by and what its probe measured.
  const reference = referenceOf()
  const model = await chosenModel(context, CLASS, { health: GATE, revert: true }, 'b')
  const { digest } = await artifacts.put(Buffer.from(JSON.stringify(reference)))
  await health.putSketch(db, {
    variant: 'small-b',
    reference: model.reference.whole,
    sketch: digest,
  })
  await probes.addProbe(db, {
    ...{ id: 'p1', model: model.id, class: CLASS, round: 1, variant: 'small-b', rival: null },
    ...{ device: 'd0', orderedAt: now().toISOString(), deadline: now().toISOString() },
  })
  const histogram: [number, number][] = [[Math.round(Math.log(5e6) / Math.log(1.02)), 200]]
  const measured = record(5, null)
  const told = { ...measured, latency: { ...measured.latency, histogram } }
  await probes.finishProbe(db, 'p1', { state: 'measured', record: told }, now())
  await settle(planner)
  const variant = (await variants.findVariant(db, 'small-b'))?.digest ?? ''
  const seen = (over: Partial<SeenOptions> = {}) => seenOf({ variant, reference, digest, ...over })
  return { planner, data, devices, seen }
}

async function newest({ planner }: Fleet) {
  const { db } = planner.conductor.context
  const [rollout] = await rollouts.rolloutsOf(db, 'motor')
  if (!rollout) throw new Error('no rollout')
  const members = await rollouts.membersOf(db, rollout.id)
  return { rollout, state: rollout.state, reason: rollout.reason, members }
}

async function pass(planner: Planner, ms: number): Promise<void> {
  planner.clock.now = new Date(planner.clock.now.getTime() + ms)
  await settle(planner)
}

async function installed(device: ScriptedDevice): Promise<void> {
  const [order] = await device.take('assign')
  if (!order) throw new Error(`${device.id} was told nothing`)
  await device.install(order, 'active')
}

t.test(
  'slow poison: well installed, it drifts after an hour, and the wave is taken back',
  async (t) => {
    const all = await fleet(t, 3)
    const { planner, devices, seen } = all
    const [canary] = devices as [ScriptedDevice]
    const told = await planner.assignmentOf((await canary.take('assign'))[0] as never)
    t.match(told, { sketch: { digest: seen().reference } }, 'its sketch is signed with it')
    await canary.say({
      kind: 'install',
      ...orderOf(await newest(all)),
      model: 'motor',
      variant: seen().variant,
      state: 'active',
    })
    t.match(await newest(all), {
      state: 'running',
      reason: /watches how 0 of 1 devices do, for 2h more/,
    })
    await pass(planner, HOUR)
    await canary.say({ kind: 'observations', model: 'motor', ...seen() })
    t.match(await newest(all), {
      state: 'running',
      reason: /watches how 1 of 1 devices do, for 1h/,
    })
    await pass(planner, HOUR / 2)
    await canary.say({
      kind: 'observations',
      model: 'motor',
      ...seen({ value: (random) => 1.5 + random() }),
    })
    const after = await newest(all)
    t.equal(after.state, 'aborted')
    t.match(after.reason, /drift [\d.]+ where drift<0.2 was asked \(y: PSI/)
    t.match(after.members, [{ device: 'd0', state: 'reverting' }])
    const [back] = await canary.take('assign')
    const { db } = planner.conductor.context
    t.equal(
      back?.variant,
      (await variants.findVariant(db, 'small-a'))?.digest,
      'what it ran before',
    )
    const entries = await audit.readAudit(db, { limit: 50 })
    t.match(
      entries.find(({ action }) => action === 'rollout.health-broken'),
      { detail: { reason: /PSI/ } },
      'the evidence is in the audit',
    )
  },
)

t.test('an application that became slow is told from the probe', async (t) => {
  const all = await fleet(t, 2)
  const [canary] = all.devices as [ScriptedDevice]
  await installed(canary)
  await pass(all.planner, HOUR)
  await canary.say({ kind: 'observations', model: 'motor', ...all.seen({ latencyMs: () => 8 }) })
  t.match(await newest(all), { state: 'aborted', reason: /^p95 1\.5\dx where p95<1.3x was asked/ })
})

t.test('a wave that does well is followed by the next, which is watched, too', async (t) => {
  const all = await fleet(t, 3)
  const { planner, devices, seen } = all
  const [canary, second, third] = devices as [ScriptedDevice, ScriptedDevice, ScriptedDevice]
  await installed(canary)
  await pass(planner, HOUR)
  await canary.say({ kind: 'observations', model: 'motor', ...seen() })
  t.equal((await second.take('assign')).length, 0)
  await pass(planner, HOUR + 1)
  await installed(second)
  await installed(third)
  t.equal((await newest(all)).state, 'running')
  await pass(planner, 2 * HOUR + 1)
  t.match(await newest(all), { state: 'done' })
})

t.test('where nobody observes an operator is asked, and may go on', async (t) => {
  const all = await fleet(t, 2)
  const { planner, devices } = all
  const [canary, second] = devices as [ScriptedDevice, ScriptedDevice]
  await installed(canary)
  await pass(planner, 2 * HOUR + 1)
  const paused = await newest(all)
  t.match(paused, { state: 'paused', reason: /no device told of drift, p95/ })
  await applyRolloutEvent(planner.conductor.context, paused.rollout, 'resume', '', 'cli:anna')
  await settle(planner)
  await installed(second)
  t.equal((await newest(all)).state, 'running', 'the next wave is watched again')
})

t.test(
  'windows of before, of other variants, and of nobody knows what are not held against it',
  async (t) => {
    const all = await fleet(t, 2)
    const { planner, devices, seen } = all
    const [canary] = devices as [ScriptedDevice]
    const { db } = planner.conductor.context
    const poison = { ...seen({ value: () => 3 }) }
    await canary.say({ kind: 'observations', model: 'motor', ...poison })
    await pass(planner, 1_000)
    await installed(canary)
    t.match(await newest(all), { state: 'running', reason: /0 of 1/ })
    const foreign = { ...poison, variant: 'f'.repeat(64) }
    await canary.say({ kind: 'observations', model: 'motor', ...foreign })
    const [latest] = await health.latestOf(db, 'motor')
    t.equal(latest?.seen.variant, poison.variant, 'a variant that nobody made is not kept')
    const invented = { ...poison, reference: 'e'.repeat(64) }
    await pass(planner, HOUR)
    await canary.say({ kind: 'observations', model: 'motor', ...invented })
    t.match(await newest(all), { state: 'running' }, 'bins that nobody made tell nothing')
    const ragged = { ...poison, channels: [[1, 2, 3]] }
    await canary.say({ kind: 'observations', model: 'motor', ...ragged })
    t.match(await newest(all), { state: 'running' }, 'nor do those that do not fit them')
  },
)

t.test(
  'alarms: after three windows, once, and over after three; told by health and alarms',
  async (t) => {
    const all = await fleet(t, 1)
    const { planner, devices, seen, data } = all
    const [device] = devices as [ScriptedDevice]
    await installed(device)
    const { conductor } = planner
    const call = { conductor, context: conductor.context, actor: 'cli:test' } as never
    const hot = (celsius: number) => {
      const one = seen()
      return { ...one, host: { ...one.host, hottestCelsius: celsius } }
    }
    const say = async (window: Observations) => {
      await pass(planner, HOUR)
      await device.say({ kind: 'observations', model: 'motor', ...window })
    }
    for (const celsius of [95, 96]) await say(hot(celsius))
    t.same((await readAlarms({ model: 'motor', all: false }, call)).items, [])
    await say(hot(97))
    const [alarm, ...rest] = (await readAlarms({ model: 'motor', all: false }, call)).items
    t.equal(rest.length, 0)
    t.match(alarm, {
      rule: 'hot',
      device: 'd0',
      state: 'raised',
      evidence: /temperature 97 where temperature<90/,
    })
    const view = await readHealth({ model: 'motor', days: 7 }, call)
    t.match(view, {
      alarms: 1,
      devices: [
        { device: 'd0', inferences: 600, drift: 0, hottestCelsius: 97, scheme: 'static-w8a8' },
      ],
      days: [{ inferences: 1800, devices: 1, drift: 0 }],
    })
    for (let i = 0; i < 3; i += 1) await say(hot(50))
    t.same((await readAlarms({ model: 'motor', all: false }, call)).items, [])
    t.match((await readAlarms({ model: 'motor', all: true }, call)).items, [
      { state: 'quiet', clearedAt: String },
    ])
    writeFileSync(
      join(data, 'alarms.json'),
      '{"rules":[{"name":"warm","must":"temperature<40","raiseAfter":1}]}',
    )
    await say(hot(50))
    t.match((await readAlarms({ all: false }, call)).items, [{ rule: 'warm' }])
    writeFileSync(join(data, 'alarms.json'), '{"rules":[')
    await say(hot(30))
    t.match(
      await alarms.alarmsOf(conductor.context.db, { model: 'motor' }),
      [{ rule: 'warm', count: { kept: 1 } }, { rule: 'hot' }],
      'a spoiled file leaves the rules of before',
    )
  },
)

t.test(
  'a report that comes twice is counted once, and a clock that is years off moves nothing',
  async (t) => {
    const all = await fleet(t, 1)
    const { planner, devices, seen } = all
    const [device] = devices as [ScriptedDevice]
    await installed(device)
    const { store, context } = planner.conductor
    const report = {
      v: 1,
      id: 'same',
      at: '1970-01-01T00:00:01.000Z',
      kind: 'observations',
      model: 'motor',
      ...seen(),
      from: '1970-01-01T00:00:00.000Z',
    } as const
    for (let i = 0; i < 3; i += 1) {
      await store.recordReport(device.id, report)
      await settle(planner)
    }
    const days = await health.daysOf(context.db, 'motor', '0000')
    t.match(days, [{ day: '2026-11-23', seen: { inferences: 600 } }])
    const call = { conductor: planner.conductor, context } as never
    const view = await readHealth({ model: 'motor', days: 1 }, call)
    t.ok((view.devices[0]?.clockOffS ?? 0) < -50 * 365 * 86_400, 'and it is told')
  },
)

function orderOf({ members }: Awaited<ReturnType<typeof newest>>): { order: string } {
  return { order: members[0]?.orderId ?? '' }
}
