import t from 'tap'
import { mergeStatistics } from '../../../../planner/quantizer/observers/merge.ts'
import { TensorObserver } from '../../../../planner/quantizer/observers/observer.ts'
import { numbers } from '../model-builder.ts'

const observer = (channels = 0, samples = 10) =>
  new TensorObserver({ tensor: 7, channels, samples })

t.test('extremes, moving averages and counts are those of the numbers', async (t) => {
  const one = observer(0, 2)
  one.see(Float32Array.of(0, 4), 0)
  one.see(Float32Array.of(-1, 8), 1)
  const { tensor, count, min, max, movingMin, movingMax, ignored, nan } = one.result()
  t.same(
    { tensor, count, min, max, ignored, nan },
    { tensor: 7, count: 4, min: -1, max: 8, ignored: 0, nan: 0 },
  )
  t.ok(Math.abs(movingMax - (0.95 * 4 + 0.05 * 8)) < 1e-12)
  t.ok(Math.abs(movingMin - 0.05 * -1) < 1e-12)
})

t.test('infinite, huge and absent numbers are counted and kept out', async (t) => {
  const one = observer(2)
  one.see(Float32Array.of(1, Number.NEGATIVE_INFINITY, Number.NaN, 3.39e38), 0)
  one.see(Float32Array.of(2, 3, 2, 3), 1)
  const { count, min, max, ignored, nan, channels } = one.result()
  t.same({ count, min, max, ignored, nan }, { count: 5, min: 1, max: 3, ignored: 2, nan: 1 })
  t.same([...(channels?.means ?? [])], [2, 3], 'means come from samples of numbers only')
})

t.test('a tensor that holds no number has an empty result', async (t) => {
  const one = observer()
  one.see(Float32Array.of(Number.NaN), 0)
  one.see(new Float32Array(0), 1)
  t.match(one.result(), { count: 0, nan: 1 })
})

t.test('the histogram counts every number once, whatever range comes when', async (t) => {
  const one = observer()
  const batches = [
    numbers([100], 0, 1e-3),
    numbers([100], -1, 1),
    numbers([100], -700, 3),
    numbers([100], 0, 9),
  ]
  for (const [i, batch] of batches.entries()) one.see(batch, i)
  const { bins, offset, width } = one.result().histogram
  const all = batches.flatMap((batch) => [...batch])
  const inBin = new Map<number, number>()
  for (const value of all) {
    const bin = Math.floor(value / width) + offset
    inBin.set(bin, (inBin.get(bin) ?? 0) + 1)
  }
  // A number on a border may round to the bin beside it, so totals are exact and bins nearly.
  t.equal(
    bins.reduce((sum, count) => sum + count, 0),
    400,
  )
  const misplaced = bins.reduce(
    (sum, count, bin) => sum + Math.abs(count - (inBin.get(bin) ?? 0)),
    0,
  )
  t.ok(misplaced <= 8, `${misplaced} misplaced`)
  t.ok(width < 1, 'and its bins are fine')
})

t.test('zeros are told apart, for they are coded without error', async (t) => {
  const one = observer()
  one.see(Float32Array.of(0, 0, 0, 1), 0)
  t.equal(one.result().histogram.zeros, 3)
})

t.test(
  'memory does not grow with samples; extremes stay exact where the histogram samples',
  async (t) => {
    const one = new TensorObserver({ tensor: 0, channels: 4, samples: 2000 })
    const values = numbers([40_000], 0, 1)
    for (let i = 0; i < 50; i += 1) one.see(values, i)
    values[17] = 5
    one.see(values, 50)
    const { max, histogram, channels } = one.result()
    t.equal(max, 5)
    t.equal(histogram.bins.length, 4096)
    const counted = histogram.bins.reduce((sum, count) => sum + count, 0)
    t.ok(counted > 5_000 && counted < 100_000, `${counted} of 2,040,000 counted`)
    for (const mean of channels?.means ?? []) t.ok(Math.abs(mean - 0.5) < 0.02)
  },
)

t.test('two observers that share the samples see what one sees', async (t) => {
  const samples = 130
  const plan = { operator: 3, width: 4, groups: 1, channelsFirst: false, window: [] }
  const watcher = () => new TensorObserver({ tensor: 7, channels: 4, samples, moments: [plan] })
  const [all, even, odd] = [watcher(), watcher(), watcher()]
  for (let i = 0; i < samples; i += 1) {
    // Ranges grow, so that the two come to bins of different widths.
    const values = numbers([4000], -1, (i + 1) ** (1 + (i % 2)), i + 1)
    if (i === 40) values[5] = Number.NaN
    all.see(values, i)
    const half = i % 2 === 0 ? even : odd
    half.see(values, i)
  }
  const one = all.result()
  const [two] = mergeStatistics([[even.result()], [odd.result()]])
  const exact = ({ count, min, max, ignored, nan }: typeof one) => ({
    count,
    min,
    max,
    ignored,
    nan,
  })
  t.same(two && exact(two), exact(one))
  t.equal(two?.histogram.width, one.histogram.width)
  t.equal(two?.histogram.zeros, one.histogram.zeros)
  t.same(countsOf(two), countsOf(one), 'the same bins')
  const near = (a: number | undefined, b: number | undefined) =>
    t.ok(Math.abs((a ?? Number.NaN) - (b ?? 0)) <= 1e-9 * Math.abs(b ?? 0), `${a} for ${b}`)
  near(two?.movingMin, one.movingMin)
  near(two?.movingMax, one.movingMax)
  for (const part of ['means', 'squares', 'min', 'max'] as const) {
    one.channels?.[part].forEach((value, i) => {
      near(two?.channels?.[part][i], value)
    })
  }
  t.equal(two?.moments[0]?.rows, one.moments[0]?.rows)
  one.moments[0]?.blocks[0]?.sums.forEach((sum, i) => {
    near(two?.moments[0]?.blocks[0]?.sums[i], sum)
  })
})

/** By the numbers that bins stand for. */
function countsOf(statistics: ReturnType<TensorObserver['result']> | undefined) {
  const { bins, offset, width } = statistics?.histogram ?? { bins: [], offset: 0, width: 0 }
  return [...bins].flatMap((count, i) => (count === 0 ? [] : [[(i - offset) * width, count]]))
}

t.test('who asks for means alone gets no range, and the same means', async (t) => {
  const values = numbers([400], -3, 5)
  const plan = { tensor: 7, channels: 4, samples: 2 }
  const [whole, means, nothing] = [
    new TensorObserver(plan),
    new TensorObserver({ ...plan, only: 'means' }),
    new TensorObserver({ ...plan, channels: 0, only: 'means' }),
  ] as const
  for (const one of [whole, means, nothing]) one.see(values, 0)
  t.same(means.result().channels, whole.result().channels)
  t.equal(means.result().count, 0)
  t.equal(nothing.result().channels, null)
})
