import t from 'tap'
import { classDetail } from '../../../planner/api/devices/read-classes.ts'
import { audit, devices as deviceRows } from '../../../planner/storage/index.ts'
import { type Planner, planner, ScriptedDevice, settle } from './scripted-fleet.ts'
import { CLASS, measuredBy, type Row, TWO_SPEEDS } from './two-speeds.ts'

/** Devices of one class, each with what it measured of one variant and the governor it had. */
async function measured(p: Planner, rows: readonly Row[]): Promise<void> {
  for (const [device] of rows) await new ScriptedDevice(device, p).join()
  await measuredBy(p, rows)
  await settle(p)
}

async function classesOf(p: Planner): Promise<Record<string, string | null>> {
  const all = await deviceRows.listDevices(p.conductor.context.db)
  return Object.fromEntries(all.map((device) => [device.id, device.class]))
}

t.test('a class that runs at two speeds becomes two, named by what tells them apart', async (t) => {
  const p = await planner(t, { partsMs: 0 })
  await measured(p, TWO_SPEEDS)
  const [fast, slow] = [`${CLASS}+governor-performance`, `${CLASS}+governor-powersave`]
  t.same(await classesOf(p), { a: fast, b: fast, c: fast, d: slow, e: slow, f: slow })
  const detail = await classDetail(p.conductor.context, slow)
  t.match(
    detail.members[0]?.reasons.join('; '),
    /governor powersave: the class runs at two speeds, 1\.6\d× apart/,
  )
  t.ok(detail.name, 'its profile is that of the whole')
  const entries = await audit.readAudit(p.conductor.context.db, { limit: 50 })
  t.ok(entries.some(({ action, subject }) => action === 'class.split' && subject === CLASS))
})

t.test('who joins or comes back afterwards is of its part; who is of neither stays', async (t) => {
  const p = await planner(t, { partsMs: 0 })
  await measured(p, TWO_SPEEDS)
  await new ScriptedDevice('d', p).join()
  await new ScriptedDevice('new', p).join()
  t.match(await classesOf(p), { d: `${CLASS}+governor-powersave`, new: CLASS })
})

t.test('two speeds that nothing explains are told, and left together', async (t) => {
  const p = await planner(t, { partsMs: 0 })
  await measured(
    p,
    TWO_SPEEDS.map(([device, ms]) => [device, ms, null] as const),
  )
  t.equal(new Set(Object.values(await classesOf(p))).size, 1)
  const { speeds } = await classDetail(p.conductor.context, CLASS)
  t.match(speeds, [/motor runs at two speeds, .* nothing that is known of them tells them apart/])
})

t.test('a class of one device, or at one speed, stays whole', async (t) => {
  const p = await planner(t, { partsMs: 0 })
  await measured(p, [['a', 10, 'performance']])
  t.same(await classesOf(p), { a: CLASS })
  t.same((await classDetail(p.conductor.context, CLASS)).speeds, [])
})
