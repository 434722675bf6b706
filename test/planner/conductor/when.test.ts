import t from 'tap'
import { RUN } from '../../../planner/api/server/operations.ts'
import { layOut } from '../../../planner/cli/print/layout.ts'
import { printRollouts } from '../../../planner/cli/rollout/print-rollouts.ts'
import { noteReason } from '../../../planner/conductor/rollouts/advance-rollout.ts'
import { parseSelector } from '../../../planner/groups/index.ts'
import { parseWaves } from '../../../planner/rollout/index.ts'
import { rollouts } from '../../../planner/storage/index.ts'
import type { OrderOf } from '../../../shared/messages/orders.ts'
import { DAYS } from '../../../shared/windows/index.ts'
import { chosenModel } from './chosen-model.ts'
import { callOf, type Planner, planner, ScriptedDevice, settle } from './scripted-fleet.ts'

t.setTimeout(400_000)

const CLASS = 'raspberry-pi-4'
const waves = [...parseWaves('100%')]
const where = (text: string) => [...parseSelector(text)]

async function at(p: Planner, time: string): Promise<void> {
  p.clock.now = new Date(time)
  await settle(p)
}

async function states(p: Planner) {
  const [newest] = await rollouts.rolloutsOf(p.conductor.context.db, 'motor')
  const members = newest ? await rollouts.membersOf(p.conductor.context.db, newest.id) : []
  return {
    state: newest?.state,
    reason: newest?.reason,
    devices: Object.fromEntries(members.map(({ device, state }) => [device, state])),
  }
}

const night = (zone: string | null) => ({ days: [...DAYS], from: '02:00', to: '04:00', zone })

t.test(
  'a window is for devices with a label: those that know their zone keep it, for others the planner does',
  async (t) => {
    const p = await planner(t)
    const call = callOf(p)
    const site = { labels: { site: 'hall-2' } }
    const knows = await new ScriptedDevice('knows', p).join({ ...site, timeZone: 'Europe/Berlin' })
    const old = await new ScriptedDevice('old', p).join(site)
    const free = await new ScriptedDevice('free', p).join()
    const set = { name: 'nights', where: where('site=hall-2'), window: night(null) }
    t.match(await RUN['windows.set'](set, call), {
      where: 'site=hall-2',
      hours: 'daily 02:00–04:00 where the device stands',
      devices: 2,
      keptThere: 1,
    })
    await t.rejects(RUN['windows.set']({ ...set, where: where('site=hall-9') }, call), {
      code: 'matches-nobody',
    })
    await chosenModel(p.conductor.context, CLASS, { waves })
    await settle(p)
    // 13:00 in Berlin, 12:00 UTC.
    t.same((await states(p)).devices, { free: 'ordered', knows: 'ordered' })
    const [order] = (await knows.take('assign')) as [OrderOf<'assign'>]
    t.same(order.windows, [night(null)], 'it fetches now, and waits there')
    const [other] = (await free.take('assign')) as [OrderOf<'assign'>]
    t.equal(other.windows, undefined)
    await knows.install(order, 'accepted', 'downloading', 'verified', 'installed')
    await free.install(other, 'active')
    t.match(await RUN['rollout.status']({ model: 'motor' }, call), {
      rollouts: [
        {
          devices: [
            { device: 'free', opensAt: null },
            { device: 'knows', opensAt: '2026-11-24T01:00:00.000Z' },
          ],
        },
      ],
    })
    await at(p, '2026-11-24T01:30:00.000Z')
    t.notOk(
      'old' in (await states(p)).devices,
      '02:30 in Berlin, but not where nobody knows the zone',
    )
    await at(p, '2026-11-24T02:30:00.000Z')
    t.match((await states(p)).devices, { old: 'ordered' })
    t.equal(((await old.take('assign')) as [OrderOf<'assign'>])[0].windows, undefined)

    await RUN.rollback({ model: 'motor', to: 1, wait: false }, call)
    await at(p, '2026-11-24T12:00:00.000Z')
    const [revision] = await rollouts.rolloutsOf(p.conductor.context.db, 'motor')
    t.equal(revision?.options.atOnce, undefined, 'the same selection is not started anew')
  },
)

t.test('who waits for applications says for which, and is not settled', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  const device = await new ScriptedDevice('d1', p).join()
  await chosenModel(p.conductor.context, CLASS, { waves })
  await settle(p)
  const [order] = (await device.take('assign')) as [OrderOf<'assign'>]
  await device.install(order, 'accepted', 'downloading', 'verified', 'installed')
  const { model, variant } = await p.assignmentOf(order)
  const state = 'installed' as const
  for (const waitsFor of ['7-a (inspects belt 3)', '8-b']) {
    await device.say({ kind: 'install', order: order.id, model, variant, state, waitsFor })
    const status = await RUN['rollout.status']({ model }, call)
    t.match(status.rollouts, [
      { state: 'running', devices: [{ state, error: `waits for ${waitsFor}` }] },
    ])
    t.match(
      layOut(printRollouts(status), undefined).text,
      new RegExp(`installed +waits for ${waitsFor.slice(0, 3)}`),
    )
  }
  const [{ id = '' } = {}] = await rollouts.rolloutsOf(p.conductor.context.db, model)
  t.same((await RUN['rollouts.show']({ rollout: id }, call)).causes, [], 'which is no failure')
  await device.install(order, 'active')
  t.match((await RUN['rollout.status']({ model }, call)).rollouts, [
    { state: 'done', devices: [{ state: 'active', error: null }] },
  ])
})

t.test('what is taken back waits for no window', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  const device = await new ScriptedDevice('d1', p).join({ timeZone: 'UTC' })
  await chosenModel(p.conductor.context, CLASS, { waves }, 'a')
  await settle(p)
  for (const order of await device.take('assign')) await device.install(order, 'active')
  p.clock.now = new Date(p.clock.now.getTime() + 1000)
  await chosenModel(p.conductor.context, CLASS, { waves }, 'b')
  await settle(p)
  for (const order of await device.take('assign')) await device.install(order, 'active')
  await RUN['windows.set']({ name: 'n', where: where('device=d1'), window: night(null) }, call)
  await RUN.rollback({ model: 'motor', wait: false }, call)
  await settle(p)
  const [back] = (await device.take('assign')) as [OrderOf<'assign'>]
  t.ok(back)
  t.equal(back.windows, undefined)
})

t.test('a pause that ends by the clock', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  const device = await new ScriptedDevice('d1', p).join()
  await device.leave()
  await chosenModel(p.conductor.context, CLASS, { waves })
  await settle(p)
  await t.rejects(RUN['rollout.pause']({ model: 'motor', until: '2026-11-23T11:00:00Z' }, call), {
    message: /is over: name a time to come/,
  })
  await RUN['rollout.pause']({ model: 'motor', until: '2026-11-23T20:00:00+01:00' }, call)
  await device.join()
  t.match(await states(p), { state: 'paused', devices: {} })
  await at(p, '2026-11-23T18:59:59.000Z')
  t.match(await states(p), { state: 'paused', devices: {} })
  await at(p, '2026-11-23T19:00:00.000Z')
  t.match(await states(p), { state: 'running', devices: { d1: 'ordered' } })
  t.match(await RUN['rollout.status']({ model: 'motor' }, call), { intent: 'rollout' })

  await RUN['rollout.pause']({ model: 'motor', until: '2026-11-23T22:00:00Z' }, call)
  await RUN['rollout.pause']({ model: 'motor' }, call).catch(() => {})
  await RUN['rollout.resume']({ model: 'motor', retry: false }, call)
  await RUN['rollout.pause']({ model: 'motor' }, call)
  await at(p, '2026-11-23T23:00:00.000Z')
  t.match(await states(p), { state: 'paused' }, 'an older end is not this pause’s')

  // A look that began before the pause, and says why it waits after it.
  const { context } = p.conductor
  const [paused] = await rollouts.openRollouts(context.db)
  if (paused === undefined) throw new Error('the rollout is open')
  await noteReason(context, { ...paused, state: 'running' }, 'devices are on the way')
  t.match(await states(p), { state: 'paused' }, 'a reason that comes late moves nothing')
})

t.test('a rate that grows while successes come in', async (t) => {
  const p = await planner(t)
  const devices: ScriptedDevice[] = []
  for (let i = 0; i < 9; i += 1) devices.push(await new ScriptedDevice(`d${i}`, p).join())
  const rate = {
    maximumPerMinute: 4,
    exponentialRate: { baseRatePerMinute: 1, incrementFactor: 2, numberOfSucceededThings: 2 },
  }
  await chosenModel(p.conductor.context, CLASS, { waves, rate })
  await settle(p)
  const told: number[] = []
  for (let minute = 0; minute < 6; minute += 1) {
    told.push(Object.keys((await states(p)).devices).length)
    for (const device of devices) {
      for (const order of await device.take('assign')) await device.install(order, 'active')
    }
    await settle(p)
    t.equal(
      (await states(p)).state,
      told.at(-1) === 9 ? 'done' : 'running',
      'not over while some wait',
    )
    p.clock.now = new Date(p.clock.now.getTime() + 61_000)
    await settle(p)
  }
  t.same(
    told,
    [1, 2, 5, 9, 9, 9],
    'one, then two, then four a minute, as soon as so many succeeded',
  )
})
