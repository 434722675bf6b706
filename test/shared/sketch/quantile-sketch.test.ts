import t from 'tap'
import {
  MOST_BUCKETS,
  QuantileSketch,
  quantileSketchSchema,
  RELATIVE_ERROR,
} from '../../../shared/sketch/index.ts'
import { normalFrom, seededRandom } from '../../../shared/statistics/index.ts'

const SHARES = [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]

/** Ten shapes of latencies; the seed stands in the test's name. */
const SHAPES: Readonly<Record<string, (random: () => number) => number>> = {
  uniform: (random) => 1 + random(),
  exponential: (random) => -5 * Math.log(1 - random()),
  lognormal: (random) => Math.exp(1 + 0.7 * normalFrom(random)),
  pareto: (random) => 0.3 / (1 - random()) ** (1 / 1.5),
  'two clocks': (random) => (random() < 0.7 ? 4 : 9) * (1 + 0.01 * normalFrom(random)),
  constant: () => 3.25,
  'zeros and more': (random) => (random() < 0.1 ? 0 : random() + 0.5),
}

for (const [name, draw] of Object.entries(SHAPES)) {
  for (const seed of [1, 2, 3]) {
    t.test(`${name}, seed ${seed}: every quantile is within 2 % of the exact one`, async (t) => {
      const random = seededRandom(seed)
      const values = Array.from({ length: 20_000 }, () => Math.abs(draw(random)))
      const sketch = sketchOf(values)
      const exact = Float64Array.from(values).sort()
      t.equal(sketch.count, values.length)
      const whole = sketch.state().counts.length < MOST_BUCKETS
      for (const share of SHARES) {
        const expected = exact[Math.floor(share * (exact.length - 1))] as number
        const found = sketch.quantile(share)
        // A full sketch has folded its lowest values: the paper promises those above.
        if (!whole && found === sketch.quantile(0)) continue
        const isNear = Math.abs(found - expected) <= RELATIVE_ERROR * expected * (1 + 1e-9)
        t.ok(isNear, `${share}: ${found} for ${expected}`)
      }
    })
  }
}

t.test('parts merged in any order are the whole', async (t) => {
  const random = seededRandom(7)
  const values = Array.from({ length: 5_000 }, () => 20 * random() ** 3 + 0.2)
  const whole = sketchOf(values)
  const parts = [0, 1, 2, 3, 4].map((part) => sketchOf(values.filter((_, i) => i % 5 === part)))
  for (const order of [parts, [...parts].reverse()]) {
    const merged = new QuantileSketch()
    for (const part of order) merged.merge(QuantileSketch.from(part.state()))
    t.same(merged.state(), whole.state())
  }
})

t.test('a range beyond all buckets folds the lowest and keeps the highest', async (t) => {
  const values = Array.from({ length: 6_001 }, (_, i) => 1e-3 * 10 ** (i / 1_000))
  for (const order of [values, [...values].reverse()]) {
    const sketch = sketchOf(order)
    const state = sketch.state()
    t.ok(state.counts.length <= MOST_BUCKETS)
    t.equal(sketch.count, values.length)
    t.ok(Math.abs(sketch.quantile(1) - 1_000) <= 20)
    t.ok(Math.abs(sketch.quantile(0.9) - (values[5_400] as number)) <= 0.02 * 252)
  }
})

t.test('what is no time is not counted', async (t) => {
  const sketch = new QuantileSketch()
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e-9, -5])
    t.notOk(sketch.add(bad))
  t.equal(sketch.count, 0)
  t.ok(Number.isNaN(sketch.quantile(0.5)))
  for (const extreme of [0, 5e-324, Number.MIN_VALUE * 2 ** 70, Number.MAX_VALUE])
    t.ok(sketch.add(extreme))
  t.equal(sketch.quantile(0), 0)
  t.ok(quantileSketchSchema.safeParse(sketch.state()).success)
})

t.test('a billion observations take no more room than one', async (t) => {
  const sketch = new QuantileSketch()
  for (let i = 1; i <= 1_000; i += 1) sketch.add(i / 100, 1_000_000)
  t.equal(sketch.count, 1e9)
  t.ok(JSON.stringify(sketch.state()).length < 1_200)
  t.ok(Math.abs(sketch.quantile(0.95) - 9.5) <= 0.02 * 9.5)
})

function sketchOf(values: readonly number[]): QuantileSketch {
  const sketch = new QuantileSketch()
  for (const value of values) sketch.add(value)
  return sketch
}
