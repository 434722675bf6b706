import t from 'tap'
import { settingOf } from '../../../planner/probing/index.ts'
import { models, probes, setProbePolicy } from '../../../planner/storage/index.ts'
import type { ProbeRecord } from '../../../shared/measure/index.ts'
import type { SaidProbe } from '../../../shared/messages/orders.ts'
import { askedProbe } from '../../asked-probe.ts'
import { builtModel } from './built-model.ts'
import { type Planner, planner, record, ScriptedDevice, settle } from './scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'
const ONNX = { runtimes: [{ name: 'onnxruntime' as const, version: '1.30.0' }] }

async function nextProbe(device: ScriptedDevice): Promise<SaidProbe | undefined> {
  const [order] = await device.take('probe')
  return order && askedProbe(order)
}

/** Plays probes until none is asked for; answers them, in order. */
async function played(
  p: Planner,
  device: ScriptedDevice,
  recordFor: (order: SaidProbe) => ProbeRecord,
): Promise<readonly SaidProbe[]> {
  const asked: SaidProbe[] = []
  for (;;) {
    const order = await nextProbe(device)
    if (!order) return asked
    asked.push(order)
    const { id, model, variant } = order
    const result = { outcome: 'measured', record: recordFor(order) } as const
    await device.say({ kind: 'probe', order: id, model, variant, result })
    await settle(p)
  }
}

const figures = ({ scheme }: SaidProbe): ProbeRecord =>
  scheme === 'float32' ? record(10, null) : record(5, 0.5)

t.test('a rate, a soak and energy are asked for where they belong', async (t) => {
  const p = await planner(t)
  const device = await new ScriptedDevice('a', p).join(ONNX)
  const model = await builtModel(p, CLASS)
  const policy = { rateHz: 20, soakMs: 60_000, energy: true, threads: 2 } as const
  await setProbePolicy(p.conductor.context.db, model.id, policy)
  await settle(p)
  const soak = { ms: 60_000, runs: 1, firstMs: 5, lastMs: 6, slowdown: 1.2, slowedAfterMs: null }
  const asked = await played(p, device, (order) =>
    order.soakMs === undefined
      ? figures(order)
      : { ...figures(order), ratioToBaseline: null, soak: { ...soak, windows: [] } },
  )
  t.ok(asked.length >= 2)
  t.ok(asked.every(({ rateHz, threads }) => rateHz === 20 && threads === 2))
  const [soaked, ...more] = asked.filter(({ soakMs }) => soakMs !== undefined)
  t.match(soaked, { scheme: 'static-w8a8-s8s8', soakMs: 60_000, baseline: null }, 'what won, alone')
  t.same(more, [], 'once')
  t.equal(asked.at(-1), soaked, 'last')
  t.ok((soaked?.timeoutMs ?? 0) >= 180_000, 'it has the time it takes')
  t.notOk(soaked?.energy)
  t.ok(asked.every((order) => order === soaked || order.energy))
  const told = await probes.probesOf(p.conductor.context.db, model.id)
  t.same(
    told.filter(({ match }) => match === 'soak').map(({ device }) => device),
    ['a'],
  )
})

t.test('threads that a device tried are what it measures and runs with', async (t) => {
  const p = await planner(t)
  const device = await new ScriptedDevice('a', p).join(ONNX)
  const model = await builtModel(p, CLASS)
  const { db } = p.conductor.context
  const auto = { rateHz: null, soakMs: null, energy: false, threads: 'auto' } as const
  await setProbePolicy(db, model.id, auto)
  await settle(p)
  const tried = [1, 3].map((threads) => ({
    threads,
    cores: null,
    p50Ms: 10 / threads,
    ci95: [10 / threads, 10 / threads] as [number, number],
  }))
  const asked = await played(p, device, (order) => ({ ...figures(order), threads: 3, tried }))
  t.ok(asked.every(({ tryThreads, threads }) => tryThreads === true || threads === 3))
  t.equal(asked.filter(({ tryThreads }) => tryThreads).length, 1, 'once; the rest goes by it')
  const found = await probes.probesOf(db, model.id)
  t.same(settingOf(found, 'static-w8a8-s8s8', 'a'), { threads: 3, cores: null })
  t.same(settingOf(found, 'static-w8a8-s8s8', 'another of the class'), { threads: 3, cores: null })
  t.equal(settingOf(found, 'never tried', 'a'), undefined)
})

t.test('two models that want one quiet device take turns', async (t) => {
  const p = await planner(t)
  const device = await new ScriptedDevice('a', p).join(ONNX)
  const { db, artifacts } = p.conductor.context
  const first = await builtModel(p, CLASS)
  const { digest } = await artifacts.put(Buffer.from('another model'))
  const { id: _, revision: __, intent: ___, ...facts } = first
  const second = await models.addModel(
    db,
    { ...facts, name: 'second', source: digest },
    new Date(0),
  )
  await models.setIntent(db, second.id, 'plan')
  await settle(p)
  const [one, ...others] = await device.take('probe')
  t.ok(one)
  t.same(others, [], 'one device measures one thing at a time')
  const measuring = await probes.measuringDevices(db)
  t.same([...measuring], ['a'])
  t.same(await device.take('probe'), [], 'the other model waits')
})
