import t from 'tap'
import { sliceOf, stratified } from '../../../planner/variants/slice.ts'
import { type Dataset, toDataset } from '../../../shared/dataset/index.ts'

function dataset(labels: number[] | null, width = 16): Dataset {
  const samples = labels?.length ?? 100
  // Bytes that do not compress: the size of the slice is then what was meant.
  let state = 1
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  const x = Uint8Array.from({ length: samples * width }, () => noise() >>> 24)
  return toDataset(
    new Map([
      ['x', { type: 'uint8', shape: [samples, width], data: x }],
      ...(labels
        ? [['y', { type: 'int32', shape: [samples], data: Int32Array.from(labels) }] as const]
        : []),
    ]),
    'test',
  )
}

t.test('every beginning holds each class in its share', async (t) => {
  // 60 of class 0, 30 of class 1, 10 of class 2, sorted as data sets often are.
  const labels = Int32Array.from({ length: 100 }, (_, i) => (i < 60 ? 0 : i < 90 ? 1 : 2))
  const order = stratified(labels)
  t.same(
    [...order].sort((a, b) => a - b),
    [...labels.keys()],
    'each row once',
  )
  for (const length of [10, 20, 50]) {
    const counts = [0, 0, 0]
    for (const row of order.slice(0, length))
      counts[labels[row] ?? 0] = (counts[labels[row] ?? 0] ?? 0) + 1
    const [a = 0, b = 0, c = 0] = counts
    t.ok(
      Math.abs(a - 0.6 * length) <= 1 &&
        Math.abs(b - 0.3 * length) <= 1 &&
        Math.abs(c - 0.1 * length) <= 1,
      `${counts}`,
    )
  }
})

t.test('within a class the rows are spread over the set, not its beginning', async (t) => {
  const order = stratified(new Int32Array(64)).slice(0, 8)
  t.same(
    [...order].sort((a, b) => a - b),
    [0, 8, 16, 24, 32, 40, 48, 56],
  )
})

t.test('as many as fit, never fewer than eight, the same every time', async (t) => {
  const labels = Array.from({ length: 400 }, (_, i) => i % 7)
  const whole = dataset(labels, 256)
  const slice = sliceOf(whole, 20_000)
  t.ok(slice.npz.length <= 20_000 && slice.npz.length > 15_000, `${slice.npz.length} bytes`)
  t.equal(Buffer.compare(slice.npz, sliceOf(whole, 20_000).npz), 0)
  t.equal(sliceOf(whole, 100).dataset.samples, 8)
  t.equal(sliceOf(dataset(null), 1e6).dataset.samples, 100, 'a small set travels whole')
  t.equal(sliceOf(dataset([1, 2, 3]), 1).dataset.samples, 3, 'a tiny one too')
})
