import t from 'tap'
import { RUN } from '../../../planner/api/server/operations.ts'
import { parseWaves } from '../../../planner/rollout/index.ts'
import { audit, devices, models, rollouts } from '../../../planner/storage/index.ts'
import { chosenModel, options } from '../conductor/chosen-model.ts'
import {
  callOf,
  type Planner,
  planner,
  ScriptedDevice,
  settle,
} from '../conductor/scripted-fleet.ts'

t.setTimeout(400_000)

const CLASS = 'raspberry-pi-4'
const waves = [...parseWaves('100%')]
const START = { ...options, waves, wait: false }

function pass({ clock }: Planner, seconds = 1): void {
  clock.now = new Date(clock.now.getTime() + 1000 * seconds)
}

async function installAll(devices: readonly ScriptedDevice[]) {
  for (const device of devices) {
    for (const order of await device.take('assign')) await device.install(order, 'active')
  }
}

async function inUse({ conductor }: Planner): Promise<number | undefined> {
  return (await models.drivenModel(conductor.context.db, 'motor'))?.revision
}

/** Each revision of a source of its own, as real ones are. */
async function revision(p: Planner, name: string) {
  const { db, artifacts } = p.conductor.context
  pass(p)
  const model = await chosenModel(p.conductor.context, CLASS, { waves }, name)
  const { digest: source } = await artifacts.put(Buffer.from(`source ${name}`))
  await db
    .updateTable('models')
    .set({ source, intent: 'registered' })
    .where('id', '=', model.id)
    .execute()
  await db
    .updateTable('variants')
    .set({ source })
    .where('key', 'in', [`small-${name}`, `large-${name}`])
    .execute()
  return (await models.modelById(db, model.id)) as typeof model
}

t.test('one begins after the other, or not at all where that one is aborted', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  const device = await new ScriptedDevice('d1', p).join()
  for (const name of ['a', 'b', 'c']) await revision(p, name)
  await RUN['rollout.start']({ model: 'motor', revision: 1, ...START }, call)
  await settle(p)
  await t.rejects(RUN['rollout.start']({ model: 'motor', revision: 2, ...START }, call), {
    code: 'rollout-under-way',
    message: /begin once it has ended with --after/,
  })
  const after = { model: 'motor', revision: 2, after: true, ...START }
  t.match(await RUN['rollout.start'](after, call), { next: { revision: 2, by: 'cli:ada' } })
  await settle(p)
  t.equal(await inUse(p), 1)
  await installAll([device])
  t.equal(await inUse(p), 2, 'it has ended: the next begins')
  t.match(await RUN['rollout.status']({ model: 'motor' }, call), { next: null })

  await RUN['rollout.start']({ ...after, revision: 3 }, call)
  await RUN['rollout.abort']({ model: 'motor' }, call)
  await settle(p)
  t.match(await RUN['rollout.status']({ model: 'motor' }, call), { next: null })
  t.equal(await inUse(p), 2, 'who waited for its end is not to be surprised by its failure')
})

t.test('two operators who go back and forward at once: the later one holds, whole', async (t) => {
  const p = await planner(t)
  const device = await new ScriptedDevice('d1', p).join()
  for (const name of ['a', 'b']) await revision(p, name)
  for (const revision of [1, 2]) {
    await RUN['rollout.start']({ model: 'motor', revision, ...START }, callOf(p))
    await settle(p)
    await installAll([device])
    pass(p)
  }
  for (let round = 0; round < 4; round += 1) {
    pass(p)
    const asked = await Promise.allSettled([
      RUN.rollback({ model: 'motor', to: 1, wait: false }, callOf(p, 'cli:ada')),
      RUN.rollback({ model: 'motor', to: 2, wait: false }, callOf(p, 'cli:bob')),
      RUN.rollback({ model: 'motor', to: 1, wait: false }, callOf(p, 'cli:cy')),
    ])
    t.ok(asked.every(({ status }) => status === 'fulfilled'))
    await settle(p)
    t.equal(await inUse(p), 1)
    const { db } = p.conductor.context
    const open = await rollouts.openRollouts(db)
    const open1 = await Promise.all(open.map(({ model }) => models.modelById(db, model)))
    t.same(
      open1.map((model) => model?.revision),
      [1],
      'one rollout, of the revision in use',
    )
    await installAll([device])
  }
})

t.test('notes and tags', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  for (const name of ['a', 'b']) await revision(p, name)
  const none = { tags: [], untag: [] }
  await RUN['models.annotate'](
    { model: 'motor', revision: 1, ...none, tags: ['stable'], note: 'good' },
    call,
  )
  t.match(await RUN['models.show']({ model: 'motor', revision: 'stable' }, call), { revision: 1 })
  await RUN['models.annotate']({ model: 'motor', ...none, tags: ['stable'] }, call)
  t.match((await RUN['models.history']({ model: 'motor' }, call)).items, [
    { revision: 2, tags: ['stable'], note: null },
    { revision: 1, tags: [], note: 'good' },
  ])
  await t.rejects(RUN['models.show']({ model: 'motor', revision: 'gold' }, call), {
    message: 'motor has no revision gold; there are: 2 stable, 1',
  })
})

t.test('what is pruned, what is kept and why, and what cannot be gone back to', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  const { db, artifacts } = p.conductor.context
  const device = await new ScriptedDevice('d1', p).join()
  const all = []
  for (const name of ['a', 'b', 'c', 'd', 'e']) all.push(await revision(p, name))
  for (const revision of [2, 3]) {
    await RUN['rollout.start']({ model: 'motor', revision, ...START }, call)
    await settle(p)
    await installAll([device])
    pass(p)
  }
  await RUN['models.annotate']({ model: 'motor', revision: 4, tags: ['gold'], untag: [] }, call)
  const asked = { model: 'motor', keep: 1, olderDays: 0, dryRun: true }
  const expected = [
    { revision: 5, kept: 'one of the newest 1' },
    { revision: 4, kept: 'tagged gold' },
    { revision: 3, kept: 'in use' },
    { revision: 2, kept: 'fitment rollback goes back to it' },
    { revision: 1, kept: null },
  ]
  t.match(await RUN['models.prune'](asked, call), { revisions: expected })
  const fileOf = async (name: string) => {
    const row = await db
      .selectFrom('variants')
      .select('digest')
      .where('key', '=', name)
      .executeTakeFirst()
    return row?.digest ?? ''
  }
  const [gone, stays] = [await fileOf('small-a'), await fileOf('small-b')]
  const slice = all[0]?.reference.slice ?? ''
  t.ok(await artifacts.has(gone))
  const done = await RUN['models.prune']({ ...asked, dryRun: false }, call)
  t.match(done, { revisions: expected })
  t.ok((done.revisions.at(-1)?.freedBytes ?? 0) >= 400_000, 'two variants and the source')
  t.notOk(await artifacts.has(gone))
  t.ok(await artifacts.has(stays))
  t.ok(await artifacts.has(slice), 'what others stand on stays')
  for (const ask of [
    () => RUN.rollback({ model: 'motor', to: 1, wait: false }, call),
    () => RUN['rollout.start']({ model: 'motor', revision: 1, ...START }, call),
  ]) {
    await t.rejects(ask(), {
      code: 'pruned',
      message: /files of motor revision 1 were pruned on 2026-11-23/,
    })
  }
  t.match(await RUN['models.prune'](asked, call), { revisions: expected.slice(0, 4) }, 'once')
  await RUN.rollback({ model: 'motor', wait: false }, call)
  await settle(p)
  t.equal(await inUse(p), 2, 'what is kept can be gone back to')
})

t.test('a model that is removed; its name counts on', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  const { db } = p.conductor.context
  const device = await new ScriptedDevice('d1', p).join()
  await revision(p, 'a')
  await revision(p, 'b')
  await RUN['rollout.start']({ model: 'motor', revision: 1, ...START }, call)
  await settle(p)
  await installAll([device])
  await t.rejects(RUN['models.remove']({ model: 'motor', force: false }, call), {
    code: 'in-use',
    message: /d1 run motor and would keep it/,
  })
  t.match(await RUN['models.remove']({ model: 'motor', force: true }, call), {
    revisions: 2,
    devices: 1,
  })
  await settle(p)
  t.same((await RUN['models.list']({}, call)).items, [])
  t.same(await rollouts.openRollouts(db), [])
  t.same(await device.take('assign'), [])
  t.match(await audit.readAudit(db, { limit: 1, subject: 'motor' }), [{ action: 'models.remove' }])
  t.equal((await revision(p, 'c')).revision, 3)
})

t.test('a device that is retired measures nothing, and decides over no build', async (t) => {
  const p = await planner(t)
  const { db } = p.conductor.context
  await new ScriptedDevice('d1', p).join()
  await new ScriptedDevice('d2', p).join()
  const of = (await devices.listDevices(db))[0]?.class ?? ''
  const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id)
  t.same(ids(await devices.onlineOfClass(db, of, '', 9)), ['d1', 'd2'])
  await RUN['devices.retire']({ device: 'd1', reason: 'scrapped', undo: false }, callOf(p))
  t.same(ids(await devices.onlineOfClass(db, of, '', 9)), ['d2'])
  t.same(ids(await devices.someOfClass(db, of, 9)), ['d2'])
  t.same(ids(await devices.representativesOf(db, of)), ['d2'])
  await RUN['devices.retire']({ device: 'd2', reason: 'scrapped', undo: false }, callOf(p))
  t.same(await devices.representativesOf(db, of), [])
  t.same(await devices.largestRooms(db, of), { storageBytes: null, memoryBytes: null })
  t.same(await devices.classesInUse(db), [])
})

t.test('a device that is retired is in no count, and comes back', async (t) => {
  const p = await planner(t)
  const call = callOf(p)
  const { db } = p.conductor.context
  const [a, b] = [
    await new ScriptedDevice('d1', p).join(),
    await new ScriptedDevice('d2', p).join(),
  ]
  await revision(p, 'a')
  await RUN['rollout.start']({ model: 'motor', ...START }, call)
  await settle(p)
  await installAll([a])
  const retired = { device: 'd2', reason: 'scrapped', undo: false }
  t.match(await RUN['devices.retire'](retired, call), { changed: true })
  t.match(await RUN['devices.retire'](retired, call), { changed: false })
  await settle(p)
  t.match(
    await RUN['rollout.status']({ model: 'motor' }, call),
    {
      rollouts: [{ state: 'done', outside: { online: 0, offline: 0 } }],
    },
    'nobody waits for it',
  )
  t.same(await b.take('assign'), [], 'what it was told is closed')
  t.match(
    (await RUN['devices.list']({}, call)).items.map(({ id }) => id),
    ['d1'],
  )
  t.match((await RUN['devices.list']({ all: true }, call)).items, [
    { id: 'd1' },
    { id: 'd2', retired: { reason: 'scrapped' } },
  ])
  t.match((await RUN['classes.list']({}, call)).items, [{ devices: 1 }])
  await new ScriptedDevice('d2', p).join()
  t.match(
    (await RUN['devices.list']({}, call)).items.map(({ id }) => id),
    ['d1'],
    'saying birth does not undo it',
  )
  await RUN['devices.retire']({ ...retired, undo: true }, call)
  await settle(p)
  t.equal((await b.take('assign')).length, 1)

  await t.rejects(RUN['devices.remove']({ device: 'd2', reason: 'sold' }, call), {
    code: 'device-online',
    message: /stop its agent first/,
  })
  await b.leave()
  await db.updateTable('devices').set({ online: 0 }).where('id', '=', 'd2').execute()
  await RUN['devices.remove']({ device: 'd2', reason: 'sold' }, call)
  await settle(p)
  t.match(
    (await RUN['devices.list']({ all: true }, call)).items.map(({ id }) => id),
    ['d1'],
  )
  t.match(await audit.readAudit(db, { limit: 1, subject: 'd2' }), [{ action: 'devices.remove' }])
})
