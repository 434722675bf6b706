import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { SerialQueue } from '../../shared/serial-queue.ts'

t.test('one after another, in the order of asking', async (t) => {
  const queue = new SerialQueue()
  const seen: string[] = []
  const work = (name: string, ms: number) =>
    queue.run(async () => {
      seen.push(`${name} in`)
      await sleep(ms)
      seen.push(`${name} out`)
      return name
    })
  t.same(await Promise.all([work('a', 20), work('b', 1)]), ['a', 'b'])
  t.same(seen, ['a in', 'a out', 'b in', 'b out'])
})

t.test('work that fails tells who asked, and keeps nobody else from its turn', async (t) => {
  const queue = new SerialQueue()
  const asynchronous = queue.run(() => Promise.reject(new Error('no')))
  const atOnce = queue.run(() => {
    throw new Error('never')
  })
  const after = queue.run(() => 'yes')
  await t.rejects(asynchronous, { message: 'no' })
  await t.rejects(atOnce, { message: 'never' })
  t.equal(await after, 'yes')
})

t.test('who has had his turn no longer counts', async (t) => {
  const queue = new SerialQueue()
  const first = queue.run(() => sleep(5))
  void queue.run(() => Promise.reject(new Error('no'))).catch(() => {})
  t.equal(queue.size, 2)
  await first
  t.equal(queue.size, 1)
  await queue.settled()
  t.equal(queue.size, 0)
})
