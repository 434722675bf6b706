import t, { type Test } from 'tap'
import { startRollout } from '../../../planner/conductor/index.ts'
import { parseSelector } from '../../../planner/groups/index.ts'
import { parseWaves, type RolloutOptions } from '../../../planner/rollout/index.ts'
import { deviceLabels, models, rollouts, selections } from '../../../planner/storage/index.ts'
import { chosenModel, options } from './chosen-model.ts'
import { type Planner, planner, ScriptedDevice, settle } from './scripted-fleet.ts'

t.setTimeout(400_000)

const CLASS = 'raspberry-pi-4'
const where = (text: string) => [...parseSelector(text)]
const AT_ONCE = [...parseWaves('100%')]

async function join(p: Planner, id: string, labels: Record<string, string>, slots = {}) {
  return await new ScriptedDevice(id, p).join({ labels, ...slots })
}

async function states(p: Planner, revision: number): Promise<Record<string, string>> {
  const { db } = p.conductor.context
  const all = await rollouts.rolloutsOf(db, 'motor')
  const model = (await models.revisionsOf(db, 'motor')).find((one) => one.revision === revision)
  const [own] = all.filter((rollout) => rollout.model === model?.id)
  const members = own ? await rollouts.membersOf(db, own.id) : []
  return Object.fromEntries(members.map(({ device, state }) => [device, state]))
}

async function installAll(
  devices: readonly ScriptedDevice[],
  state: 'active' | 'failed' = 'active',
) {
  for (const device of devices) {
    for (const order of await device.take('assign')) await device.install(order, state)
  }
}

async function label(p: Planner, device: string, labels: Record<string, string | null>) {
  await deviceLabels.putLabelsOf(p.conductor.context.db, device, labels)
  await settle(p)
}

/** Rollouts that begin at one moment have no order. */
function pass({ clock }: Planner): void {
  clock.now = new Date(clock.now.getTime() + 1000)
}

/** The next revision, chosen already, asked to be rolled out so. */
async function next(p: Planner, over: Partial<RolloutOptions>, name = 'b') {
  pass(p)
  const model = await chosenModel(p.conductor.context, CLASS, over, name)
  await settle(p)
  return model
}

async function threeHalls(t: Test) {
  const p = await planner(t)
  const devices = [
    await join(p, 'd1', { site: 'hall-1' }),
    await join(p, 'd2', { site: 'hall-2' }),
    await join(p, 'd3', {}),
  ] as [ScriptedDevice, ScriptedDevice, ScriptedDevice]
  await chosenModel(p.conductor.context, CLASS, { waves: AT_ONCE })
  await settle(p)
  await installAll(devices)
  t.same(await states(p, 1), { d1: 'active', d2: 'active', d3: 'active' })
  return { p, devices, db: p.conductor.context.db }
}

t.test(
  'a rollout for some leaves the others what they have, and serves who gets the label',
  async (t) => {
    const { p, devices, db } = await threeHalls(t)
    await next(p, { waves: AT_ONCE, where: where('site=hall-2') })
    t.same(await states(p, 2), { d2: 'ordered' })
    t.same(
      await states(p, 1),
      { d1: 'active', d2: 'released', d3: 'active' },
      'what the newer takes is not the older one’s to renew',
    )
    await installAll(devices)
    t.same(await states(p, 2), { d2: 'active' })

    const late = await join(p, 'd4', { site: 'hall-1' })
    await installAll([late])
    t.match(await states(p, 1), { d4: 'active' }, 'the older one serves whom the newer is not for')

    await label(p, 'd3', { site: 'hall-2' })
    t.same(await states(p, 2), { d2: 'active', d3: 'ordered' })
    await installAll(devices)
    await label(p, 'd2', { site: 'hall-9' })
    await settle(p)
    t.same(await states(p, 2), { d2: 'active', d3: 'active' }, 'a label that is lost takes nothing')
    t.match(await states(p, 1), { d2: 'released', d3: 'released' })
    t.same(await devices[1].take('assign'), [], 'and nobody gives in turns')

    const everywhere = (await models.revisionsOf(db, 'motor'))[0]
    if (!everywhere) throw new Error('a model')
    const chosen = await selections.currentSelection(db, everywhere.id, CLASS)
    if (!chosen) throw new Error('a selection')
    pass(p)
    await startRollout(p.conductor.context, everywhere, chosen, { ...options, waves: AT_ONCE })
    await settle(p)
    t.match(
      (await rollouts.rolloutsOf(db, 'motor')).map(({ state }) => state),
      ['running', 'superseded', 'superseded'],
      'one for all takes the place of both',
    )
  },
)

t.test('a class of which nobody is meant is left alone', async (t) => {
  const { p, db } = await threeHalls(t)
  await next(p, { waves: AT_ONCE, where: where('site=hall-9') })
  t.equal((await rollouts.openRollouts(db)).length, 1, 'only revision 1 is on its way')
  await label(p, 'd1', { site: 'hall-9' })
  t.same(await states(p, 2), { d1: 'ordered' }, 'until somebody is')
})

t.test('the operator’s word goes before the device’s own, and comes back with it', async (t) => {
  const { p, db } = await threeHalls(t)
  await label(p, 'd1', { site: 'hall-2' })
  t.match(await deviceLabels.deviceLabelsOf(db, 'd1'), {
    labels: { site: 'hall-2' },
    overruled: { site: 'hall-1' },
  })
  await new ScriptedDevice('d1', p).join({ labels: { site: 'hall-3', shift: 'night' } })
  t.match(await deviceLabels.deviceLabelsOf(db, 'd1'), {
    labels: { site: 'hall-2', shift: 'night' },
    overruled: { site: 'hall-3' },
  })
  await label(p, 'd1', { site: null })
  t.same(await deviceLabels.deviceLabelsOf(db, 'd1'), {
    labels: { site: 'hall-3', shift: 'night' },
    overruled: {},
  })
  await new ScriptedDevice('d1', p).join()
  t.same((await deviceLabels.deviceLabelsOf(db, 'd1')).labels, {})
})

t.test('a label that changes in the midst of a wave by label', async (t) => {
  const { p, devices } = await threeHalls(t)
  await next(p, { waves: [...parseWaves('site=hall-2,100%')] })
  t.same(await states(p, 2), { d2: 'ordered' })
  await label(p, 'd1', { site: 'hall-2' })
  t.same(await states(p, 2), { d1: 'ordered', d2: 'ordered' }, 'who gets it joins')
  await label(p, 'd2', { site: 'hall-1' })
  await installAll([devices[0]])
  t.same(await states(p, 2), { d1: 'active', d2: 'ordered' }, 'who loses it is waited for')
  await installAll(devices)
  t.same(await states(p, 2), { d1: 'active', d2: 'active', d3: 'active' })
})

t.test('all or none: one of a site fails, and all of it goes back to what it ran', async (t) => {
  const p = await planner(t)
  const devices = []
  for (const id of ['a1', 'a2', 'b1']) {
    devices.push(await join(p, id, { site: id.startsWith('a') ? 'hall-1' : 'hall-2' }))
  }
  const [a1, a2, b1] = devices as [ScriptedDevice, ScriptedDevice, ScriptedDevice]
  await chosenModel(p.conductor.context, CLASS, { waves: AT_ONCE })
  await settle(p)
  await installAll(devices)
  await next(p, { waves: AT_ONCE, atomicBy: 'site' })
  t.same(await states(p, 2), { a1: 'ordered', a2: 'ordered', b1: 'ordered' })
  const before = await deviceSlot(p, 'a1')
  await installAll([a1])
  t.not(await deviceSlot(p, 'a1'), before)
  await installAll([a2], 'failed')
  t.match(await states(p, 2), { a1: 'reverting', a2: 'failed' })
  await installAll([a1])
  t.match(await states(p, 2), { a1: 'reverted', a2: 'failed' })
  t.equal(await deviceSlot(p, 'a1'), before)
  await installAll([b1])
  t.match(await states(p, 2), { a1: 'reverted', a2: 'failed', b1: 'active' }, 'other sites go on')
})

async function deviceSlot({ conductor }: Planner, id: string): Promise<string | undefined> {
  const { db } = conductor.context
  const row = await db.selectFrom('devices').select('slots').where('id', '=', id).executeTakeFirst()
  const slots = JSON.parse(row?.slots ?? '[]') as { active: boolean; variant: string }[]
  return slots.find(({ active }) => active)?.variant
}
