import t, { type Test } from 'tap'
import { devices, rollouts, tallies } from '../../../planner/storage/index.ts'
import { chosenModel } from './chosen-model.ts'
import { openPlanner, type Planner, ScriptedDevice } from './scripted-fleet.ts'
import { CLASS } from './stage.ts'

const HOUR_MS = 3_600_000
const POLL_MS = 20

/** It looks at clocks all the time, and at everything once an hour of the test's own clock. */
async function fleet(t: Test, count: number): Promise<[Planner, ScriptedDevice[]]> {
  const p = await openPlanner(t.testdir({}), { tickMs: POLL_MS, sweepMs: HOUR_MS })
  t.teardown(p.close)
  await chosenModel(p.conductor.context, CLASS, { waves: [{ share: 1 }] })
  const all: ScriptedDevice[] = []
  for (let index = 0; index < count; index += 1) {
    all.push(await new ScriptedDevice(`d${index}`, p).join())
  }
  for (const device of all) {
    const [order] = await device.take('assign')
    if (order) await device.install(order, 'accepted', 'active')
  }
  return [p, all]
}

t.setTimeout(240_000)

t.test(
  'a change that nobody told of is found by the sweep, and by nothing before it',
  async (t) => {
    const [p, [first, second]] = await fleet(t, 3)
    const { db } = p.conductor.context
    const [rollout] = await rollouts.rolloutsOf(db, 'motor')
    t.match(rollout, { state: 'done' })
    // As if a report had been lost: the row says that it runs nothing.
    await devices.recordSlots(db, 'd0', [])
    await second?.leave()
    await ticks(5)
    await p.conductor.settled()
    // `leave` looked everywhere, as tests do; the row was there by then.
    const again = await first?.take('assign')
    t.equal(again?.length, 1, 'given once more')
    for (const order of again ?? []) await first?.install(order, 'accepted', 'active')

    await devices.recordSlots(db, 'd0', [])
    await ticks(5)
    t.same(await first?.take('assign'), [], 'ticks look at what is due, and nothing is')
    p.clock.now = new Date(p.clock.now.getTime() + HOUR_MS)
    const found = await until(async () => {
      const orders = (await first?.take('assign')) ?? []
      return orders.length > 0 ? orders : undefined
    })
    t.equal(found.length, 1, 'an hour later it is found')
  },
)

t.test('counts that were spoiled are right again after a sweep', async (t) => {
  const [p] = await fleet(t, 3)
  const { db } = p.conductor.context
  t.same(await tallies.mendTallies(db), [], 'nothing differs by itself')
  const right = await tallies.classTally(db, CLASS)
  t.same(right, { online: 3, offline: 0 })
  await db.updateTable('class_tallies').set({ devices: 77 }).execute()
  await db.updateTable('rollout_tallies').set({ devices: 0 }).execute()
  p.clock.now = new Date(p.clock.now.getTime() + HOUR_MS)
  await until(async () => ((await tallies.classTally(db, CLASS)).online === 3 ? true : undefined))
  const [rollout] = await rollouts.rolloutsOf(db, 'motor')
  t.same(await tallies.memberTallies(db, rollout?.id ?? ''), [
    { state: 'active', forgiven: false, presence: 'online', devices: 3 },
  ])
})

t.test('the database counts along, whoever writes', async (t) => {
  const [p, [first]] = await fleet(t, 2)
  const { db } = p.conductor.context
  const [rollout] = await rollouts.rolloutsOf(db, 'motor')
  const counted = () => tallies.memberTallies(db, rollout?.id ?? '')
  await first?.leave()
  t.same(await tallies.classTally(db, CLASS), { online: 1, offline: 1 })
  t.match(await counted(), [
    { presence: 'offline', devices: 1 },
    { presence: 'online', devices: 1 },
  ])
  await db.updateTable('devices').set({ class: 'another' }).where('id', '=', 'd0').execute()
  t.match(
    new Set((await counted()).map(({ presence }) => presence)),
    new Set(['elsewhere', 'online']),
  )
  await db.updateTable('rollout_devices').set({ forgiven: 1 }).execute()
  t.ok((await counted()).every(({ forgiven }) => forgiven))
  await db.deleteFrom('rollout_devices').execute()
  t.same(await counted(), [])
  t.same(await tallies.mendTallies(db), [])
})

function ticks(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * POLL_MS))
}

/** For as long as the test's own time limit lets it. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await ticks(1)
  }
}
