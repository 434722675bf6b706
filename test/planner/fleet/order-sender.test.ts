import { pino } from 'pino'
import t from 'tap'
import { OrderSender } from '../../../planner/fleet/order-sender.ts'
import { Turns } from '../../../planner/fleet/turns.ts'
import type { Order } from '../../../shared/messages/orders.ts'
import { until } from './devices.ts'

const cancel = (id: string): Order => ({ v: 1, id, kind: 'cancel', order: 'x' })

/** An outbox in which acknowledgements arrive when the test says so. */
function sender(retryMs: number) {
  const outbox: Order[] = []
  const sent: string[] = []
  let asked = 0
  const orders = new OrderSender({
    pending: async (except) => {
      asked += 1
      return outbox.filter(({ id }) => !except.includes(id))
    },
    send: async ({ id }) => void sent.push(id),
    signing: new Turns(2),
    sending: new Turns(100),
    limits: { retryMs, longestRetryMs: 4 * retryMs },
    log: pino({ level: 'silent' }),
  })
  t.teardown(() => orders.stop())
  return { outbox, sent, orders, asked: () => asked }
}

const LATER_MS = 3_600_000

t.test('however often it is nudged, an order is sent once', async (t) => {
  const { outbox, sent, orders, asked } = sender(LATER_MS)
  outbox.push(cancel('o1'))
  for (let nudges = 1; nudges <= 10; nudges += 1) {
    orders.nudge()
    await until(() => asked() >= nudges)
  }
  outbox.push(cancel('o2'))
  orders.nudge()
  await until(() => sent.includes('o2'))
  t.same(sent, ['o1', 'o2'])
  orders.acknowledged('o1')
  outbox.push(cancel('o3'))
  orders.nudge()
  await until(() => sent.includes('o3'))
  t.same(sent, ['o1', 'o2', 'o3'], 'acknowledged, and not yet marked so in the outbox')
})

t.test('it is sent again after its pause, and in a new session at once', async (t) => {
  const { outbox, sent, orders } = sender(20)
  outbox.push(cancel('o1'))
  orders.nudge()
  await until(() => sent.length >= 3)
  const later = sender(LATER_MS)
  later.outbox.push(cancel('o1'))
  later.orders.nudge()
  await until(() => later.sent.length === 1)
  later.orders.begin()
  await until(() => later.sent.length === 2)
  t.same(later.sent, ['o1', 'o1'])
})

t.test('each order has a pause of its own: an old one over sends no new one again', async (t) => {
  const retryMs = 300
  const { outbox, sent, orders, asked } = sender(retryMs)
  outbox.push(cancel('o1'))
  orders.nudge()
  await until(() => sent.length === 1)
  const began = performance.now()
  // As late as it goes, and new: the pause of the first one is nearly over.
  await new Promise((resolve) => setTimeout(resolve, retryMs - 60))
  outbox.push(cancel('o2'))
  orders.nudge()
  await until(() => sent.length === 2)
  const isInTime = performance.now() - began < retryMs
  await until(() => sent.filter((id) => id === 'o1').length === 2)
  // On a machine that stood still meanwhile both pauses may be over.
  if (isInTime) t.same(sent, ['o1', 'o2', 'o1'])
  const before = asked()
  orders.acknowledged('o1')
  orders.acknowledged('o2')
  await new Promise((resolve) => setTimeout(resolve, 3 * retryMs))
  t.equal(asked(), before, 'with the last one acknowledged nobody is asked')
})

t.test('what cannot be sent now is sent after a pause', async (t) => {
  let failures = 2
  const sent: string[] = []
  const orders = new OrderSender({
    pending: async () => {
      failures -= 1
      if (failures >= 0) throw new Error('no keys')
      return sent.length === 0 ? [cancel('o1')] : []
    },
    send: async ({ id }) => void sent.push(id),
    signing: new Turns(1),
    sending: new Turns(100),
    limits: { retryMs: 10, longestRetryMs: 10 },
    log: pino({ level: 'silent' }),
  })
  t.teardown(() => orders.stop())
  orders.nudge()
  await until(() => sent.length > 0)
  t.same(sent, ['o1'])
})

t.test('devices whose sockets take nothing hold up nobody’s orders', async (t) => {
  const turns = { signing: new Turns(2), sending: new Turns(10) }
  const never = new Promise<void>(() => {})
  const sent: string[] = []
  const senderTo = (device: string, send: () => Promise<void>) => {
    const orders = new OrderSender({
      ...{ ...turns, send, log: pino({ level: 'silent' }) },
      pending: async (except) => [cancel(device)].filter(({ id }) => !except.includes(id)),
      limits: { retryMs: LATER_MS, longestRetryMs: LATER_MS },
    })
    t.teardown(() => orders.stop())
    return orders
  }
  let hanging = 0
  for (let frozen = 0; frozen < 5; frozen += 1) {
    senderTo(`frozen-${frozen}`, () => {
      hanging += 1
      return never
    }).nudge()
  }
  await until(() => hanging === 5)
  senderTo('other', async () => void sent.push('other')).nudge()
  await until(() => sent.includes('other'))
  t.same(sent, ['other'])
})

t.test('so many have their turn at a time, the longest waiting first', async (t) => {
  const turns = new Turns(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const all = [0, 1, 2, 3].map((index) =>
    turns.take(async () => {
      begun.push(index)
      await new Promise<void>((resolve) => ends.push(resolve))
      if (index === 0) throw new Error('its own business')
    }),
  )
  t.same(begun, [0, 1])
  ends[0]?.()
  await t.rejects(all[0] ?? Promise.resolve(), /its own business/)
  await until(() => begun.length === 3)
  ends[1]?.()
  await until(() => begun.length === 4)
  for (const end of ends) end()
  await Promise.allSettled(all)
  t.same(begun, [0, 1, 2, 3])
})
