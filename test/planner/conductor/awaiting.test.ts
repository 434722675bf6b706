import t from 'tap'
import { capturedSamples, orders } from '../../../planner/storage/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { sampleCancel } from '../../shared/messages/samples.ts'
import { birth } from '../storage/sample.ts'
import { planner } from './scripted-fleet.ts'

t.test('a birth is answered with whether orders and samples wait for the device', async (t) => {
  const p = await planner(t)
  const { store, context } = p.conductor
  const { db } = context
  const at = new Date()
  const names = ['idle', 'ordered', 'offering', 'restarted']
  const bornAs = (start: string) =>
    Promise.all(
      names.map((name, index) =>
        store.recordBirth(name, birth(index, { epoch: { start, connection: 1 } })),
      ),
    )
  const nothing = { orders: false, samples: false }
  t.same(await bornAs('first'), [nothing, nothing, nothing, nothing])
  await orders.addOrder(db, 'ordered', sampleCancel('open'), [], at, null)
  await orders.addOrder(db, 'restarted', sampleCancel('taken'), [], at, null)
  await orders.ackOrder(db, 'restarted', 'taken', at)
  await orders.addOrder(db, 'idle', sampleCancel('over'), [], at, null)
  await orders.closeOrder(db, 'over')
  const digest = digestOf('sample')
  await capturedSamples.offer(db, 'offering', 'motor', [{ digest, bytes: 10 }], at)
  const ordered = { orders: true, samples: false }
  const offering = { orders: false, samples: true }
  t.same(await bornAs('first'), [nothing, ordered, offering, nothing])
  t.same(await bornAs('second'), [nothing, ordered, offering, ordered], 'it took it as another')
})
