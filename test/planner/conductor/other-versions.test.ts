import t from 'tap'
import { deviceViewSchema } from '../../../planner/api/contract/views.ts'
import { deviceView } from '../../../planner/api/devices/read-devices.ts'
import { audit, devices, orders, probes } from '../../../planner/storage/index.ts'
import { newId } from '../../../shared/ids.ts'
import { parseMessage } from '../../../shared/messages/parse-message.ts'
import { birth, hardware } from '../storage/sample.ts'
import { planner, ScriptedDevice } from './scripted-fleet.ts'

t.test('a device with things nobody has heard of is a device', async (t) => {
  const p = await planner(t)
  const said = birth(1, {
    runtimes: [
      { name: 'litert', version: '2.5.3' },
      { name: 'tensorrt', version: '11' },
    ],
    report: {
      ...hardware,
      cpu: { ...hardware.cpu, features: ['neon', 'sme3'] },
      accelerators: [{ kind: 'photonic', evidence: '/dev/photon0' }],
    },
  })
  const bytes = Buffer.from(JSON.stringify({ ...said, wheels: 4 }))
  const heard = parseMessage('fit/1/default/d/cart/birth', bytes)
  t.ok(heard.ok)
  if (!heard.ok || heard.message.channel !== 'birth') return
  await p.conductor.store.recordBirth('cart', heard.message.payload)
  const { db } = p.conductor.context
  const device = await devices.findDevice(db, 'cart')
  t.match(device, {
    class: 'raspberry-pi-4',
    report: { accelerators: [{ kind: 'photonic' }], cpu: { features: ['neon', 'sme3'] } },
  })
  const view = device && deviceViewSchema.parse(await deviceView(db, device, new Date()))
  t.match(view?.runtimes, [{ name: 'litert' }, { name: 'tensorrt' }], 'for people to see')
})

t.test('a device of an architecture nobody has heard of is of the class of others', async (t) => {
  const p = await planner(t)
  const device = await new ScriptedDevice('cart', p).join({
    report: { ...hardware, architecture: 'loong64' },
  })
  const found = await devices.findDevice(p.conductor.context.db, device.id)
  t.match(found, { class: 'unknown-other', report: { architecture: 'loong64' } })
  t.match(found?.classReason.join(), /loong64/)
})

t.test(
  'an order that a device does not understand is not sent again, and is told of',
  async (t) => {
    const p = await planner(t)
    const { db } = p.conductor.context
    const cart = await new ScriptedDevice('cart', p).join()
    const other = await new ScriptedDevice('other', p).join()
    const now = p.clock.now
    const order = { v: 1, id: newId(), kind: 'cancel', order: newId() } as const
    await orders.addOrder(db, 'cart', order, [], now, null)
    await probes.addProbe(db, {
      ...{ id: order.id, model: 'm', class: 'raspberry-pi-4', round: 1, variant: 'v', rival: null },
      ...{ device: 'cart', orderedAt: now.toISOString(), deadline: now.toISOString() },
    })
    const error = {
      code: 'unknown-order',
      message: 'this agent does not know orders of kind cancel',
    }
    await other.say({ kind: 'refused', order: order.id, error })
    t.equal((await orders.pendingOrders(db, 'cart', now)).length, 1, 'its own word only')
    await cart.say({ kind: 'refused', order: order.id, error })
    t.strictSame(await orders.pendingOrders(db, 'cart', now), [])
    t.match(await probes.findProbe(db, order.id), { state: 'failed', error })
    const [entry] = await audit.readAudit(db, { limit: 1, subject: 'cart' })
    t.match(entry, { action: 'order.refused', detail: { order: order.id, ...error } })
  },
)
