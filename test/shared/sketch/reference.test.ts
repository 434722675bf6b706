import t from 'tap'
import {
  binOf,
  binsOf,
  distanceFrom,
  featuresOf,
  kolmogorovTail,
  MOST_CHANNELS,
  packCounts,
  parseReferenceSketch,
  plansOf,
  ReferenceBuilder,
  type ReferenceSketch,
  unpackCounts,
} from '../../../shared/sketch/index.ts'
import { normalFrom, seededRandom } from '../../../shared/statistics/index.ts'

const PICTURE = { name: 'x', shape: [1, 16, 16, 3] }
const SCORES = { name: 'y', shape: [1, 10] }

t.test('what is watched follows the shapes of inputs and outputs', async (t) => {
  const names = (shape: number[], side: 'input' | 'output') =>
    featuresOf([{ name: 'x', shape }], side)[0]?.names
  t.same(names([1, 16, 16, 3], 'input')?.slice(0, 4), [
    'x[0] mean',
    'x[0] spread',
    'x[0] roughness',
    'x[1] mean',
  ])
  t.same(names([-1, 3, 224, 224], 'input'), names([1, 16, 16, 3], 'input'))
  t.same(names([1, 128, 6], 'input')?.length, 18)
  t.same(names([1, 3], 'input'), ['x[0]', 'x[1]', 'x[2]'])
  t.same(names([1, 640], 'input'), ['x mean', 'x spread', 'x roughness'])
  t.same(names([1, 10], 'output'), ['x class', 'x confidence', 'x mean', 'x spread'])
  t.same(names([1, 1], 'output'), ['x'])
  t.same(names([-1, -1, 85], 'output'), ['x mean', 'x spread', 'x roughness'])
  const many = Array.from({ length: 60 }, (_, i) => ({ name: `i${i}`, shape: [1, 8, 8, 3] }))
  const all = plansOf({ inputs: many, outputs: many }).flatMap((plan) => plan.names)
  t.ok(all.length <= MOST_CHANNELS, `${all.length} channels of 120 inputs and outputs`)
})

t.test('mean, spread and roughness of a channel are its own', async (t) => {
  const [plan] = featuresOf([{ name: 'x', shape: [1, 2, 3, 2] }], 'input')
  // Channel 0: 1 2 3 4 5 6; channel 1: 10 everywhere.
  const values = [1, 10, 2, 10, 3, 10, 4, 10, 5, 10, 6, 10]
  t.same(
    plan?.of(values).map((value) => Number(value.toFixed(4))),
    [3.5, 1.7078, 1, 10, 0, 0],
  )
  const [scores] = featuresOf([{ name: 'y', shape: [3] }], 'output')
  t.same(scores?.of([0.2, 0.7, 0.1]).slice(0, 2), [1, 0.7])
  // Logits become a probability.
  t.ok(Math.abs((scores?.of([1, 3, 0])[1] as number) - 0.8438) < 1e-4)
})

t.test('a reference counts its own samples in parts of equal share', async (t) => {
  const reference = referenceOf(1_000, 11)
  t.same(parseReferenceSketch(JSON.stringify(reference)), reference)
  for (const channel of reference.channels) {
    t.equal(channel.counts.length, binsOf(channel))
    t.equal(
      channel.counts.reduce((a, b) => a + b, 0),
      1_000,
    )
    if (channel.kind === 'numbers')
      t.ok(
        channel.counts.every((count) => Math.abs(count - 100) <= 5),
        `${channel.name}: ${channel.counts}`,
      )
  }
  t.ok(JSON.stringify(reference).length < 16_384)
})

t.test('a constant tells of any change', async (t) => {
  const builder = new ReferenceBuilder([{ name: 'x', shape: [1] }], [])
  for (let i = 0; i < 200; i += 1) builder.add('input', { x: [0.5] })
  const [channel] = builder.finish().channels
  t.ok(channel)
  if (!channel) return
  t.same(channel.counts, [0, 200, 0])
  t.equal(distanceFrom(channel, [0, 300, 0])?.drift, 0)
  t.ok((distanceFrom(channel, [300, 0, 0])?.drift ?? 0) > 1)
  t.ok((distanceFrom(channel, [0, 0, 300])?.drift ?? 0) > 1)
})

t.test('rounding on the way moves nothing', async (t) => {
  const random = seededRandom(9)
  const shapes: Record<string, () => number> = {
    'the mean of probabilities': () => 0.1 + 1e-9 * normalFrom(random),
    'steps of a camera': () => Math.floor(6 * random()) / 255,
    'values of any size': () => 1e4 * normalFrom(random),
  }
  for (const [name, draw] of Object.entries(shapes)) {
    const builder = new ReferenceBuilder([{ name: 'x', shape: [1] }], [])
    const values = Array.from({ length: 400 }, draw)
    for (const value of values) builder.add('input', { x: [value] })
    const [channel] = builder.finish().channels
    if (!channel) throw new Error('a channel')
    const counts = new Array<number>(binsOf(channel)).fill(0)
    for (const value of values) {
      const bin = binOf(channel, Number(Math.fround(value).toPrecision(6)))
      counts[bin] = (counts[bin] as number) + 1
    }
    t.equal(distanceFrom(channel, counts)?.drift, 0, name)
    t.ok((distanceFrom(channel, counts)?.ks ?? 1) < 0.02, name)
  }
})

t.test('distances agree with SciPy 1.17', async (t) => {
  // scipy.stats.kstwobign.sf((√n + 0.12 + 0.11/√n)·d)
  for (const [d, n, expected] of SCIPY_TAILS)
    t.ok(Math.abs(kolmogorovTail(d, n) - expected) < 1e-6, `${d} of ${n}`)
  const channel = {
    kind: 'numbers',
    name: 'x',
    edges: [1, 2, 3],
    counts: [40, 30, 20, 10],
  } as const
  const found = distanceFrom(
    { ...channel, edges: [1, 2, 3], counts: [40, 30, 20, 10] },
    [10, 20, 30, 40],
  )
  // Σ (p − q)·ln(p/q) with half a sample more in each bin, by hand.
  t.ok(Math.abs((found?.psi ?? 0) - 0.871977) < 1e-6, `${found?.psi}`)
  t.ok(Math.abs((found?.ks ?? 0) - 0.4) < 1e-12)
  t.equal(distanceFrom({ ...channel, edges: [1], counts: [1, 1] }, [1, 1, 1]), null, 'other bins')
  t.equal(distanceFrom({ ...channel, edges: [1], counts: [1, 1] }, [0, 0]), null, 'no samples')
})

t.test('the statistic at the edges never exceeds that of the values', async (t) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = seededRandom(seed)
    const reference = Array.from({ length: 300 }, () => normalFrom(random))
    const seen = Array.from({ length: 200 }, () => 0.3 + normalFrom(random))
    const builder = new ReferenceBuilder([{ name: 'x', shape: [1] }], [])
    for (const value of reference) builder.add('input', { x: [value] })
    const [channel] = builder.finish().channels
    if (channel?.kind !== 'numbers') throw new Error('a channel of numbers')
    const counts = new Array<number>(binsOf(channel)).fill(0)
    for (const value of seen) {
      const at = channel.edges.findIndex((edge) => value <= edge)
      const bin = at < 0 ? channel.edges.length : at
      counts[bin] = (counts[bin] as number) + 1
    }
    const exact = Math.max(
      ...[...reference, ...seen].map((x) =>
        Math.abs(shareBelow(reference, x) - shareBelow(seen, x)),
      ),
    )
    const { ks } = distanceFrom(channel, counts) ?? {}
    t.ok((ks ?? 1) <= exact + 1e-12 && (ks ?? 0) > exact - 0.1, `${ks} of ${exact}, seed ${seed}`)
  }
})

t.test('counts are packed and unpacked, also beyond 32 bits', async (t) => {
  const counts = [0, 1, 127, 128, 300, 65_535, 2 ** 40, Number.MAX_SAFE_INTEGER]
  t.same(unpackCounts(packCounts(counts)), counts)
  t.same(unpackCounts(packCounts([])), [])
  t.ok(packCounts(new Array(320).fill(9_000)).length < 900)
})

const SCIPY_TAILS: readonly (readonly [number, number, number])[] = [
  [0.1, 100, 0.25622118507010405],
  [0.05, 1000, 0.012958845703741699],
  [0.2, 80, 0.002746073868825772],
  [0.02, 500, 0.9875005182572503],
]

function shareBelow(values: readonly number[], x: number): number {
  return values.filter((value) => value <= x).length / values.length
}

function referenceOf(samples: number, seed: number): ReferenceSketch {
  const random = seededRandom(seed)
  const builder = new ReferenceBuilder([PICTURE], [SCORES])
  for (let i = 0; i < samples; i += 1) {
    const level = random()
    builder.add('input', {
      x: Array.from({ length: 768 }, () => level + 0.2 * normalFrom(random)),
    })
    builder.add('output', { y: Array.from({ length: 10 }, () => normalFrom(random)) })
  }
  return builder.finish()
}
