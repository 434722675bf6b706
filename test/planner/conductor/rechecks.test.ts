import type { KyselyPlugin } from 'kysely'
import t from 'tap'
import { explain } from '../../../planner/api/models/explain.ts'
import { rolloutStatus } from '../../../planner/api/rollouts/read-rollouts.ts'
import { layOut } from '../../../planner/cli/print/layout.ts'
import { printRollouts } from '../../../planner/cli/rollout/print-rollouts.ts'
import { advanceRechecks } from '../../../planner/conductor/rechecks.ts'
import { judgeRecheck } from '../../../planner/probing/index.ts'
import { models, probes, rechecks, variants } from '../../../planner/storage/index.ts'
import type { SaidProbe } from '../../../shared/messages/orders.ts'
import { askedProbe } from '../../asked-probe.ts'
import { chosenModel } from './chosen-model.ts'
import { type Planner, planner, record, ScriptedDevice, settle } from './scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'

const explained = (p: Planner, device: string) =>
  explain({ model: 'motor', device }, { context: p.conductor.context } as never)

/** A device that runs what its class was chosen for, and the probe that it is asked for then. */
async function installed(
  p: Planner,
  measuredBefore = false,
): Promise<[ScriptedDevice, SaidProbe | undefined]> {
  const device = await new ScriptedDevice('d0', p).join()
  const { context } = p.conductor
  const model = await chosenModel(context, CLASS)
  for (const [scheme, key] of [['static-w8a8', 'small-a'] as const])
    await variants.addCandidate(context.db, model.id, CLASS, {
      scheme,
      runtime: 'litert',
      variant: key,
      kept: true,
      reason: '',
    })
  if (measuredBefore) {
    const probe = { id: 'before', model: model.id, class: CLASS, round: 1, device: 'd0' }
    const at = context.now().toISOString()
    const asked = { ...probe, variant: 'small-a', rival: null, orderedAt: at, deadline: at }
    await probes.addProbe(context.db, asked)
    const result = { state: 'measured', record: record(5, 0.5) } as const
    await probes.finishProbe(context.db, 'before', result, context.now())
  }
  await settle(p)
  const [order] = await device.take('assign')
  if (!order) throw new Error('nothing was assigned')
  await device.install(order, 'downloading', 'active')
  const [probe] = await device.take('probe')
  return [device, probe && askedProbe(probe)]
}

async function answer(device: ScriptedDevice, probe: SaidProbe, result: unknown): Promise<void> {
  const { id: order, model, variant } = probe
  await device.say({ kind: 'probe', order, model, variant, result } as never)
}

t.test('a device measures what it was given, once it runs there, and it is told', async (t) => {
  const p = await planner(t, { rechecksAtOnce: 1 })
  const [device, probe] = await installed(p)
  t.match(probe, { scheme: 'static-w8a8', model: 'motor', measureMs: 1000, quietMs: 2000 })
  t.match((await explained(p, 'd0')).recheck, { state: 'asked', text: 'measures it now' })
  if (!probe) return
  await answer(device, probe, { outcome: 'measured', record: record(9, 0.9) })
  await settle(p)
  t.match((await explained(p, 'd0')).recheck, {
    state: 'done',
    scheme: 'static-w8a8',
    verdict: 'slower',
    text: /^measures 0.90× float32's latency, chosen for 0.50× float32's latency: slower than/,
  })
  t.same(await device.take('probe'), [], 'once')
  const { context } = p.conductor
  const [model] = await models.listModels(context.db)
  if (!model) throw new Error('no model')
  const { rollouts } = await rolloutStatus(context, model)
  t.match(rollouts[0]?.devices[0], { device: 'd0', state: 'active', recheck: /slower than it was/ })
  const said = layOut(printRollouts(await rolloutStatus(context, model)), undefined).text
  t.match(said, /d0 .* slower than it was chosen for/)
})

t.test('a device that cannot, or does not answer, is no riddle', async (t) => {
  const p = await planner(t, { rechecksAtOnce: 1 })
  const [device, probe] = await installed(p)
  if (!probe) throw new Error('it was not asked')
  const error = { code: 'out-of-memory', message: 'needs too much' }
  await answer(device, probe, { outcome: 'failed', error })
  await settle(p)
  t.match((await explained(p, 'd0')).recheck, {
    verdict: 'failed',
    text: 'could not measure it: out-of-memory: needs too much',
  })

  const silent = await planner(t, { rechecksAtOnce: 1 })
  await installed(silent)
  silent.clock.now = new Date(silent.clock.now.getTime() + 3_600_000)
  await settle(silent)
  t.match((await explained(silent, 'd0')).recheck, { state: 'done', verdict: 'failed' })
  t.same(await rechecks.askedRechecks(silent.conductor.context.db), [])
})

t.test('who measured for its class already is not asked; nobody is where it is off', async (t) => {
  const off = await planner(t)
  const [, probe] = await installed(off)
  t.equal(probe, undefined)
  t.equal((await explained(off, 'd0')).recheck, null)
  const on = await planner(t, { rechecksAtOnce: 1 })
  const [, again] = await installed(on, true)
  t.equal(again, undefined)
})

/** Many that run what their class was chosen for, and are to measure it; some did. */
async function many(p: Planner, due: number, measured: number): Promise<void> {
  const { db, now } = p.conductor.context
  const [model] = await models.listModels(db)
  if (!model) throw new Error('no model')
  const [variant] = await variants.candidatesOf(db, model.id, CLASS)
  const digest = (await variants.findVariant(db, variant?.variant ?? ''))?.digest ?? ''
  const at = now().toISOString()
  const place = { model: model.id, class: CLASS, round: 1, variant: 'small-a' }
  for (let i = 0; i < measured; i += 1) {
    const probe = { ...place, id: `m${i}`, device: `m${i}`, rival: null }
    await probes.addProbe(db, { ...probe, orderedAt: at, deadline: at })
    const outcome = { state: 'measured', record: record(5, 0.5) } as const
    await probes.finishProbe(db, `m${i}`, outcome, now())
  }
  const slots = [{ model: 'motor', variant: digest, active: true }]
  for (let i = 0; i < due; i += 1) {
    await new ScriptedDevice(`r${i}`, p).join({ slots })
    await rechecks.setDue(db, { ...place, device: `r${i}`, modelName: 'motor' }, now())
  }
}

t.test('between ticks several are asked together, once half of the places are free', async (t) => {
  const p = await planner(t)
  await installed(p)
  await many(p, 9, 0)
  const { context } = p.conductor
  const at = (isTick: boolean) =>
    advanceRechecks(
      { ...context, settings: { ...context.settings, rechecksAtOnce: 4 } },
      { isTick },
    )
  const asked = async () => (await rechecks.askedRechecks(context.db)).map(({ device }) => device)
  await at(false)
  const first = await asked()
  t.equal(first.length, 4)
  const answers = async (device: string) => {
    const own = await rechecks.findRecheck(context.db, device, 'motor')
    const outcome = { state: 'measured', record: record(5, 0.5) } as const
    await probes.finishProbe(context.db, own?.probe ?? '', outcome, context.now())
  }
  await answers(first[0] ?? '')
  await at(false)
  t.same(await asked(), first, 'one place is free')
  await at(true)
  t.equal((await asked()).filter((device) => !first.includes(device)).length, 1, 'a tick fills it')
  await answers(first[1] ?? '')
  await answers(first[2] ?? '')
  await at(false)
  t.equal((await asked()).filter((device) => !first.includes(device)).length, 3)
})

t.test('what one is asked for reads no more rows where many measured before', async (t) => {
  const rows: number[] = []
  for (const measured of [5, 80]) {
    const p = await planner(t)
    await installed(p)
    await many(p, 1, measured)
    const { context } = p.conductor
    let read = 0
    const counting: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        read += result.rows.length
        return result
      },
    }
    const counted = { ...context, db: context.db.withPlugin(counting) }
    const settings = { ...context.settings, rechecksAtOnce: 4 }
    await advanceRechecks({ ...counted, settings }, { isTick: true })
    t.equal((await rechecks.askedRechecks(context.db)).length, 1)
    rows.push(read)
  }
  t.ok((rows[0] ?? 0) > 0)
  t.equal(rows[1], rows[0])
})

const chosen = {
  latency: { p50Ms: 5, ci95: [4.95, 5.05], ratio: { p50: 0.5, ci95: [0.49, 0.51] } },
}
const rows = [
  { name: 'as chosen', ours: record(5, 0.51), verdict: 'as-chosen' },
  { name: 'slower', ours: record(5, 0.7), verdict: 'slower' },
  { name: 'faster', ours: record(5, 0.4), verdict: 'faster' },
  { name: 'a slower device that gains as much', ours: record(9, 0.5), verdict: 'as-chosen' },
  { name: 'without float32 beside it, by its time', ours: record(9, null), verdict: 'slower' },
  { name: '…within what devices differ by', ours: record(5.5, null), verdict: 'as-chosen' },
  {
    name: 'a disturbed record says nothing',
    ours: { ...record(50, 5), verdict: 'contended', flags: ['busy-machine'] },
    verdict: 'disturbed',
  },
] as const
for (const { name, ours, verdict } of rows)
  t.test(name, async (t) => {
    t.equal(judgeRecheck(chosen as never, ours as never, false).verdict, verdict)
  })
