import t, { type Test } from 'tap'
import {
  histogramOf,
  histogramQuantile,
  mergeHistograms,
} from '../../../shared/measure/histogram.ts'
import { pairedRatio } from '../../../shared/measure/paired-ratio.ts'
import { effectiveSize, isTrend, theilSenSlope } from '../../../shared/measure/series.ts'
import {
  hodgesLehmann,
  mcnemarExact,
  medianOf,
  pooledRatio,
  repeatedRatio,
  sorted,
  wilson95,
} from '../../../shared/statistics/index.ts'
import { madOf, medianCi95, quantileOf } from '../../../shared/statistics/order-statistics.ts'
import { fairCoinCdf } from '../../../shared/statistics/proportions.ts'
import { seededRandom } from '../../../shared/statistics/seeded-random.ts'

const near = (t: Test, found: number, wanted: number, within = 1e-4) =>
  t.ok(Math.abs(found - wanted) <= within, `${found} ≈ ${wanted}`)
const upTo = (n: number) => Float64Array.from({ length: n }, (_, i) => i + 1)

t.test('order statistics', async (t) => {
  t.equal(medianOf(sorted([3, 1, 2])), 2)
  t.equal(medianOf(sorted([4, 1, 2, 3])), 2.5)
  t.equal(quantileOf(upTo(100), 0.9), 90)
  t.equal(quantileOf(upTo(10), 0.99), 10)
  t.equal(madOf(sorted([1, 1, 2, 2, 4, 6, 9])), 1)
  // Ranks of published tables: n = 10 → 2 and 9, n = 25 → 8 and 18, n = 100 → 40 and 61.
  t.same(medianCi95(upTo(10)), [2, 9])
  t.same(medianCi95(upTo(25)), [8, 18])
  t.same(medianCi95(upTo(100)), [40, 61])
  t.same(medianCi95(upTo(5)), [1, 5])
  t.same(medianCi95(upTo(1)), [1, 1])
})

t.test('the interval of the median covers it 95 times in 100', async (t) => {
  const random = seededRandom(5)
  let covered = 0
  for (let round = 0; round < 2000; round++) {
    const [low, high] = medianCi95(sorted(Array.from({ length: 20 }, random)))
    if (low <= 0.5 && high >= 0.5) covered += 1
  }
  t.ok(covered >= 0.945 * 2000, `${covered} of 2000`)
})

t.test('proportions', async (t) => {
  // Newcombe 1998, table I: 81/263 and 0/20.
  near(t, wilson95(81, 263)[0], 0.2553)
  near(t, wilson95(81, 263)[1], 0.3662)
  near(t, wilson95(0, 20)[0], 0)
  near(t, wilson95(0, 20)[1], 0.1611)
  t.same(wilson95(0, 0), [0, 1])
  near(t, fairCoinCdf(2, 10), 0.0546875, 1e-12)
  near(t, fairCoinCdf(500, 1000), 0.5126, 1e-4)
  near(t, mcnemarExact(1, 9), 0.021484375, 1e-12)
  t.equal(mcnemarExact(0, 0), 1)
  t.equal(mcnemarExact(7, 7), 1)
})

t.test('series', async (t) => {
  t.equal(theilSenSlope([0, 1, 2, 3, 4], [0, 2, 4, 600, 8]), 2, 'one outlier changes nothing')
  t.equal(theilSenSlope([1], [1]), 0)
  const random = seededRandom(9)
  const independent = Array.from({ length: 1000 }, random)
  t.ok(effectiveSize(independent) > 800)
  let level = 0
  const correlated = independent.map((value) => {
    level = 0.9 * level + value - 0.5
    return level
  })
  // AR(1) with φ = 0.9: n·(1 − φ)/(1 + φ) = 53.
  const size = effectiveSize(correlated)
  t.ok(size > 25 && size < 110, `${size}`)
  t.equal(effectiveSize([2, 2, 2]), 3)
})

t.test('histograms add up and keep quantiles to 1 %', async (t) => {
  const random = seededRandom(4)
  const draw = (n: number, scale: number) =>
    Array.from({ length: n }, () => scale * Math.exp(random()))
  const [one, two] = [draw(3000, 0.4), draw(1000, 40)]
  const merged = mergeHistograms([histogramOf(one), histogramOf(two)])
  t.same(merged, histogramOf([...one, ...two]))
  const all = sorted([...one, ...two])
  for (const share of [0.1, 0.5, 0.9, 0.99]) {
    const wanted = quantileOf(all, share)
    near(t, histogramQuantile(merged, share) / wanted, 1, 0.0101)
  }
  t.ok(JSON.stringify(merged).length < 2048)
})

t.test('Hodges–Lehmann: the depression scores of Hollander & Wolfe, table 3.1', async (t) => {
  const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3]
  const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
  const found = hodgesLehmann(after.map((value, i) => value - (before[i] ?? 0)))
  near(t, found?.centre ?? 0, -0.46, 1e-9)
  near(t, found?.ci95[0] ?? 0, -0.786, 1e-9)
  near(t, found?.ci95[1] ?? 0, -0.01, 1e-9)
  t.equal(hodgesLehmann([1, 2, 3, 4, 5]), undefined, 'five values have no such interval')
})

/** Normal deviates. (Box & Muller 1958.) */
function normals(random: () => number, count: number): number[] {
  return Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  )
}

t.test('paired intervals cover the truth 95 times in 100, with few pairs and many', async (t) => {
  const random = seededRandom(6)
  for (const pairs of [2, 3, 5, 6, 10, 25, 60]) {
    let covered = 0
    for (let round = 0; round < 1000; round++) {
      const { ci95 } = pairedRatio(normals(random, pairs).map((x) => 0.8 * Math.exp(0.1 * x)))
      if (ci95[0] <= 0.8 && ci95[1] >= 0.8) covered += 1
    }
    t.ok(covered >= 930, `${covered} of 1000 with ${pairs} pairs`)
  }
  const [low, high] = pairedRatio([0.8]).ci95
  t.ok(low < 0.1 && high > 5, 'one pair decides nothing')
})

t.test('pooled ratios: agreement narrows, disagreement widens', async (t) => {
  const one = { p50: 0.8, ci95: [0.76, 0.842] as const }
  const width = ({ ci95 }: { ci95: readonly [number, number] }) => Math.log(ci95[1] / ci95[0])
  near(t, pooledRatio([one]).p50, 0.8, 1e-9)
  near(t, width(pooledRatio([one])), width(one), 1e-9)
  near(t, width(pooledRatio([one, one, one, one])), width(one) / 2, 1e-9)
  const apart = pooledRatio([one, { p50: 1.25, ci95: [1.19, 1.31] }])
  t.ok(apart.ci95[0] < 0.8 && apart.ci95[1] > 1.25, `${apart.ci95}`)
  t.ok(width(pooledRatio([one], 0.05)) > width(one), 'devices that were not asked')
  const random = seededRandom(3)
  let covered = 0
  for (let round = 0; round < 1000; round++) {
    const estimates = normals(random, 3).map((x) => {
      const p50 = 0.9 * Math.exp(0.03 * x)
      return { p50, ci95: [p50 * Math.exp(-0.0588), p50 * Math.exp(0.0588)] as const }
    })
    const { ci95 } = pooledRatio(estimates)
    if (ci95[0] <= 0.9 && ci95[1] >= 0.9) covered += 1
  }
  t.ok(covered >= 940, `${covered} of 1000`)
})

t.test('repeated ratios of one device: the surest counts most, disagreement widens', async (t) => {
  const sure = { p50: 1.08, ci95: [1.05, 1.11] as const }
  const vague = { p50: 0.9, ci95: [0.7, 1.157] as const }
  near(t, repeatedRatio([sure]).ci95[0], 1.0505, 1e-3)
  const { p50, ci95 } = repeatedRatio([sure, vague])
  t.ok(p50 > 1.07 && p50 < 1.08, `${p50}`)
  t.ok(ci95[0] > 1.02 && ci95[0] < 1.05, `${ci95}: a little less sure than the sure one alone`)
  const apart = repeatedRatio([sure, { p50: 0.9, ci95: [0.88, 0.92] }])
  t.ok(apart.ci95[0] < 0.92 && apart.ci95[1] > 1.05, `${apart.ci95}: two that are sure, and differ`)
  const random = seededRandom(9)
  let covered = 0
  for (let round = 0; round < 1000; round++) {
    const errors = [0.01, 0.03, 0.15].slice(round % 2)
    const found = normals(random, errors.length).map((x, i) => {
      const error = errors[i] ?? 0
      const p50 = 0.9 * Math.exp(error * x)
      return { p50, ci95: [p50 * Math.exp(-1.96 * error), p50 * Math.exp(1.96 * error)] as const }
    })
    const { ci95 } = repeatedRatio(found)
    if (ci95[0] <= 0.9 && ci95[1] >= 0.9) covered += 1
  }
  t.ok(covered >= 940, `${covered} of 1000`)
})

t.test('a trend is one by more than chance', async (t) => {
  t.ok(isTrend([1, 2, 3, 4, 5, 6]))
  t.ok(isTrend([6, 5, 4, 3, 2, 1]))
  t.notOk(isTrend([1, 2, 3, 4, 5]), 'five may well rise by chance')
  t.notOk(isTrend([1, 2, 3, 4, 6, 5]))
  t.notOk(isTrend([]))
  const random = seededRandom(4)
  for (const length of [6, 10, 30]) {
    const found = Array.from({ length: 2000 }, () => isTrend(normals(random, length)))
    const share = found.filter(Boolean).length / 2000
    t.ok(share < 0.015, `${share} of ${length} that do not`)
    const rising = Array.from({ length: 200 }, () =>
      isTrend(normals(random, length).map((x, i) => x / 10 + (2 * i) / length)),
    )
    t.ok(rising.filter(Boolean).length > 190, `${length} that rise by 20 deviations`)
  }
})
