import t, { type Test } from 'tap'
import { type Model, probes, selections } from '../../../planner/storage/index.ts'
import type { ProbeRecord } from '../../../shared/measure/index.ts'
import type { SaidProbe } from '../../../shared/messages/orders.ts'
import type { ReportOf } from '../../../shared/messages/reports.ts'
import { askedProbe } from '../../asked-probe.ts'
import { builtModel } from './built-model.ts'
import { type Planner, planner, record, ScriptedDevice, settle } from './scripted-fleet.ts'

const CLASS = 'raspberry-pi-4'
const ONNX = { runtimes: [{ name: 'onnxruntime' as const, version: '1.30.0' }] }
const INT8 = 'static-w8a8-s8s8'

async function next(device: ScriptedDevice): Promise<SaidProbe> {
  const [order] = await device.take('probe')
  if (order === undefined) throw new Error('no probe was ordered')
  return askedProbe(order)
}

async function answer(
  device: ScriptedDevice,
  { id, model, variant }: SaidProbe,
  own: ProbeRecord,
  others?: ReportOf<'probe'>['others'],
): Promise<void> {
  const result = { outcome: 'measured', record: own } as const
  const about = { kind: 'probe', order: id, model, variant } as const
  await device.say({ ...about, result, ...(others && { others }) })
}

const chosen = ({ conductor }: Planner, { id }: Model) =>
  selections.currentSelection(conductor.context.db, id, CLASS)

const attempts = ({ conductor }: Planner, { id }: Model) =>
  probes.probesOf(conductor.context.db, id)

async function stage(t: Test): Promise<[Planner, ScriptedDevice, Model]> {
  const p = await planner(t)
  const device = await new ScriptedDevice('a', p).join(ONNX)
  const model = await builtModel(p, CLASS)
  await settle(p)
  return [p, device, model]
}

t.test('one order measures all that compete, and one report tells of all', async (t) => {
  const [p, device, model] = await stage(t)
  const order = await next(device)
  const [other, ...more] = order.others ?? []
  if (!other) throw new Error('nobody else was asked for')
  t.same(more, [])
  for (const { digest, blockList } of [order.artifact, other.artifact, order.data]) {
    t.equal(await p.conductor.store.mayFetch('a', digest), true)
    t.equal(await p.conductor.store.mayFetch('a', blockList), true)
  }
  const asked = await attempts(p, model)
  t.same(asked.map(({ id }) => id).sort(), [order.id, other.probe].sort(), 'each is a probe')
  t.equal(new Set(asked.map(({ deadline }) => deadline)).size, 1, 'with the same time to answer')

  const isInt8 = order.scheme === INT8
  const int8 = record(5, 0.5)
  const float = record(10, null)
  const between = (p50: number, probe: string) => ({
    ratios: [{ probe, ratio: { p50, ci95: [0.99 * p50, 1.01 * p50] as [number, number] } }],
  })
  const ours = isInt8 ? { ...int8, ...between(0.5, other.probe) } : float
  const theirs = isInt8 ? float : { ...int8, ...between(0.5, order.id) }
  const result = { outcome: 'measured', record: theirs } as const
  await answer(device, order, ours, [{ probe: other.probe, result }])
  t.equal(await p.conductor.store.mayFetch('a', other.artifact.digest), false, 'answered')
  t.match(
    (await attempts(p, model)).map(({ state }) => state),
    ['measured', 'measured'],
  )
  t.equal((await chosen(p, model))?.selection.winner, INT8)
})

t.test(
  'an agent of old measures the first alone: the others are asked for by themselves',
  async (t) => {
    const [p, device, model] = await stage(t)
    const first = await next(device)
    t.equal(first.others?.length, 1)
    const figures = ({ scheme }: SaidProbe) =>
      scheme === INT8 ? record(10, 0.98) : record(10.2, null)
    await answer(device, first, figures(first))
    const unsaid = (await attempts(p, model)).find(({ id }) => id === first.others?.[0]?.probe)
    t.match(unsaid, { state: 'failed', error: { code: 'not-beside' } })
    const second = await next(device)
    t.equal(second.others, undefined)
    await answer(device, second, figures(second))
    t.same(new Set([first.scheme, second.scheme]), new Set([INT8, 'float32']))
  },
)

t.test('an order that is refused leaves none of them open', async (t) => {
  const [p, device, model] = await stage(t)
  const order = await next(device)
  const error = { code: 'memory-limit', message: 'has more bytes than this device may use' }
  await device.say({ kind: 'refused', order: order.id, error })
  const states = (await attempts(p, model)).map(({ id, state }) => [id, state])
  t.same(
    states.filter(([id]) => id === order.id || id === order.others?.[0]?.probe).map((s) => s[1]),
    ['failed', 'failed'],
  )
})
