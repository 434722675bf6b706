import t from 'tap'
import { BatchWriter } from '../../../planner/storage/batch-writer.ts'

t.test('what comes together, or while another is written, is written together', async (t) => {
  const batches: number[][] = []
  let release = () => {}
  const writer = new BatchWriter<number, number>(async (items) => {
    batches.push([...items])
    if (batches.length === 1)
      await new Promise<void>((resolve) => {
        release = resolve
      })
    return items.map((item) => 10 * item)
  })
  const first = [1, 2, 3].map((item) => writer.add(item))
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const second = [4, 5].map((item) => writer.add(item))
  t.same(batches, [[1, 2, 3]])
  release()
  t.same(await Promise.all([...first, ...second]), [10, 20, 30, 40, 50], 'each its own answer')
  t.same(batches, [
    [1, 2, 3],
    [4, 5],
  ])
})

t.test('one bad item spoils no other', async (t) => {
  const written: string[] = []
  const writer = new BatchWriter<string, string>(async (items) => {
    if (items.includes('bad')) throw new Error('a bad one')
    written.push(...items)
    return items
  })
  const results = await Promise.allSettled(['a', 'bad', 'b'].map((item) => writer.add(item)))
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.same(written, ['a', 'b'], 'in their order')
})

t.test(
  'whoever comes alone is written at once, and many that come one by one together',
  async (t) => {
    const batches: number[] = []
    const HOUR_MS = 3_600_000
    const writer = new BatchWriter<number, number>(async (items) => {
      batches.push(items.length)
      return items
    }, HOUR_MS)
    t.equal(await writer.add(0), 0, 'nobody came in the hour before')
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const all: Promise<number>[] = []
    for (let item = 1; item <= 255; item += 1) {
      all.push(writer.add(item))
      await turn()
    }
    t.same(batches, [1], 'they are gathered')
    all.push(writer.add(256))
    t.equal((await Promise.all(all)).length, 256)
    t.same(batches, [1, 256], 'a full batch waits for nobody')
  },
)

t.test('what is gathered is written when its time is over, nobody else coming', async (t) => {
  const batches: string[][] = []
  const writer = new BatchWriter<string, string>(async (items) => {
    batches.push([...items])
    return items
  }, 20)
  await writer.add('first')
  t.same(await Promise.all(['a', 'b'].map((item) => writer.add(item))), ['a', 'b'])
  t.same(batches, [['first'], ['a', 'b']])
})

t.test('after a crowd more is gathered than after a few', async (t) => {
  const order: string[] = []
  const writerAfter = async (count: number, name: string) => {
    const writer = new BatchWriter<string, string>(async (items) => {
      if (items.includes(name)) order.push(name)
      return items
    }, 100)
    await Promise.all(Array.from({ length: count }, (_, item) => writer.add(`${item}`)))
    return writer
  }
  const crowd = await writerAfter(16, 'crowd')
  const few = await writerAfter(15, 'few')
  await Promise.all([crowd.add('crowd'), few.add('few')])
  t.same(order, ['few', 'crowd'])
})
