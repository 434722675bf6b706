import t from 'tap'
import { count, DEFAULT_RULES, type Figures, hold, QUIET } from '../../planner/health/index.ts'
import {
  binOf,
  binsOf,
  type Channel,
  distanceFrom,
  plansOf,
  ReferenceBuilder,
  type ReferenceSketch,
} from '../../shared/sketch/index.ts'
import { normalFrom, type Random, seededRandom, wilson95 } from '../../shared/statistics/index.ts'

/**
 * How often the rule on drift is wrong, and how soon it is right. Devices, weeks and pictures are made up; features,
 * bins, distances and rules are those of the product. Every seed is printed.
 */
const RULE = DEFAULT_RULES.find(({ name }) => name === 'drift')
if (!RULE) throw new Error('there is a rule on drift')

const HOURS = 168
const CHANNELS = 12
const DEVICES = 400

/** Windows of a week: samples of the reference, inferences an hour, and how far an hour's mean wanders by itself, in deviations. */
const WEEKS = [
  { name: 'as in the reference', reference: 500, inferences: 900, wander: 0, seed: 101 },
  { name: 'few samples in the reference', reference: 100, inferences: 900, wander: 0, seed: 102 },
  { name: 'few inferences', reference: 500, inferences: 30, wander: 0, seed: 103 },
  { name: 'hours that differ by a tenth', reference: 500, inferences: 900, wander: 0.1, seed: 104 },
]

for (const week of WEEKS) {
  const { name, seed } = week
  t.test(
    `${name}, seed ${seed}: at most 1 % of devices have a false alarm in a week`,
    async (t) => {
      const random = seededRandom(seed)
      let alarmed = 0
      for (let device = 0; device < DEVICES; device += 1)
        if (hasFalseAlarm(random, week)) alarmed += 1
      const [, upper] = wilson95(alarmed, DEVICES)
      t.comment(
        `${alarmed} of ${DEVICES} devices, below ${(100 * upper).toFixed(2)} % (95 % confidence)`,
      )
      t.ok(upper <= 0.01, `${alarmed} of ${DEVICES}`)
    },
  )
}

function hasFalseAlarm(
  random: Random,
  { reference, inferences, wander }: (typeof WEEKS)[number],
): boolean {
  const channels = Array.from({ length: CHANNELS }, () => normalChannel(random, reference))
  let alarm = QUIET
  for (let hour = 0; hour < HOURS; hour += 1) {
    const shift = wander * normalFrom(random)
    const drift = Math.max(
      ...channels.map((channel) => {
        const counts = normalCounts(random, channel, inferences, shift)
        return distanceFrom(channel, counts)?.drift ?? 0
      }),
    )
    const held = RULE && hold(RULE.must, { drift } as Figures)
    alarm = count(alarm, held?.holds ?? null, RULE as typeof RULE & object)
    if (alarm.state === 'raised') return true
  }
  return false
}

function normalChannel(random: Random, samples: number): Channel & { readonly kind: 'numbers' } {
  const builder = new ReferenceBuilder([{ name: 'x', shape: [1] }], [])
  for (let i = 0; i < samples; i += 1) builder.add('input', { x: [normalFrom(random)] })
  const [channel] = builder.finish().channels
  if (channel?.kind !== 'numbers') throw new Error('a channel of numbers')
  return channel
}

/** A multinomial draw in the channel's bins, for a population whose mean is `shift`. */
function normalCounts(
  random: Random,
  { edges }: Channel & { readonly kind: 'numbers' },
  samples: number,
  shift: number,
): number[] {
  let left = samples
  let below = 0
  return [...edges, Number.POSITIVE_INFINITY].map((edge) => {
    const upTo = edge === Number.POSITIVE_INFINITY ? 1 : normalShare(edge - shift)
    const share = below >= 1 ? 1 : Math.min(1, Math.max(0, (upTo - below) / (1 - below)))
    below = upTo
    const drawn = edge === Number.POSITIVE_INFINITY ? left : binomial(random, left, share)
    left -= drawn
    return drawn
  })
}

/** By inversion where few are expected, else by the normal approximation, which errs by less than a count here. */
function binomial(random: Random, n: number, p: number): number {
  if (n === 0 || p === 0) return 0
  if (p === 1) return n
  const expected = n * p
  if (expected > 30 && n - expected > 30) {
    const drawn = Math.round(expected + Math.sqrt(expected * (1 - p)) * normalFrom(random))
    return Math.min(n, Math.max(0, drawn))
  }
  let k = 0
  let chance = (1 - p) ** n
  let left = random() - chance
  while (left > 0 && k < n) {
    chance *= ((n - k) / (k + 1)) * (p / (1 - p))
    k += 1
    left -= chance
  }
  return k
}

/** Φ by Abramowitz & Stegun 7.1.26: to 1.5·10⁻⁷. */
function normalShare(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const u = 1 / (1 + 0.3275911 * x)
  const tail =
    u *
    (0.254829592 + u * (-0.284496736 + u * (1.421413741 + u * (-1.453152027 + u * 1.061405429))))
  const erf = 1 - tail * Math.exp(-x * x)
  return z >= 0 ? (1 + erf) / 2 : (1 - erf) / 2
}

const SIDE = 12
const CLASSES = 10
const TRIALS = 25
const REFERENCE = 500

interface Seen {
  readonly pixels: number[]
  readonly scores: number[]
}

type Change = (seen: Seen, random: Random) => Seen | undefined

/** What is planted, and after how many inferences of one window a device tells of it. */
const PLANTED: Readonly<Record<string, { readonly change: Change; readonly told: number }>> = {
  'a gain of 1.3': {
    change: ({ pixels, scores }) => ({ pixels: pixels.map((x) => 1.3 * x), scores }),
    told: 300,
  },
  'an offset of one deviation of the scene': {
    change: ({ pixels, scores }) => ({ pixels: pixels.map((x) => x + 0.15), scores }),
    told: 300,
  },
  'noise of a tenth of the range': {
    change: ({ pixels, scores }, random) => ({
      pixels: pixels.map((x) => x + 0.1 * normalFrom(random)),
      scores,
    }),
    told: 200,
  },
  'one class of ten that is missing': {
    change: (seen) => (seen.scores.indexOf(Math.max(...seen.scores)) === 3 ? undefined : seen),
    told: 800,
  },
}

Object.entries(PLANTED).forEach(([name, { change, told }], i) => {
  const seed = 200 + i
  t.test(`${name}, seed ${seed}: told within ${told} inferences`, async (t) => {
    const random = seededRandom(seed)
    let found = 0
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const reference = referenceOf(random)
      const drift = driftOf(reference, random, told, change)
      if (drift >= (RULE?.must.below ?? 0)) found += 1
    }
    t.equal(found, TRIALS, `${found} of ${TRIALS} devices`)
    const unchanged = driftOf(referenceOf(random), random, told, (seen) => seen)
    t.ok(unchanged < (RULE?.must.below ?? 0), `unchanged: ${unchanged.toFixed(3)}`)
  })
})

/** A picture of a scene that is brighter or darker, with more or less contrast. */
function seenBy(random: Random): Seen {
  const level = 0.5 + 0.15 * normalFrom(random)
  const contrast = 0.1 * Math.exp(0.3 * normalFrom(random))
  const pixels = Array.from({ length: SIDE * SIDE }, () => level + contrast * normalFrom(random))
  const answer = Math.floor(CLASSES * random())
  const scores = Array.from(
    { length: CLASSES },
    (_, i) => normalFrom(random) + (i === answer ? 6 : 0),
  )
  return { pixels, scores }
}

function referenceOf(random: Random): ReferenceSketch {
  const builder = new ReferenceBuilder(
    [{ name: 'picture', shape: [1, SIDE, SIDE, 1] }],
    [{ name: 'scores', shape: [1, CLASSES] }],
  )
  for (let i = 0; i < REFERENCE; i += 1) {
    const { pixels, scores } = seenBy(random)
    builder.add('input', { picture: pixels })
    builder.add('output', { scores })
  }
  return builder.finish()
}

function driftOf(
  reference: ReferenceSketch,
  random: Random,
  inferences: number,
  change: Change,
): number {
  const counts = reference.channels.map((channel) => new Array<number>(binsOf(channel)).fill(0))
  const plans = plansOf(reference)
  for (let i = 0; i < inferences; ) {
    const seen = change(seenBy(random), random)
    if (!seen) continue
    i += 1
    const numbers = plans.flatMap((plan) =>
      plan.of(plan.side === 'input' ? seen.pixels : seen.scores),
    )
    reference.channels.forEach((channel, c) => {
      const bins = counts[c] as number[]
      const bin = binOf(channel, numbers[c] as number)
      bins[bin] = (bins[bin] as number) + 1
    })
  }
  return Math.max(
    ...reference.channels.map((channel, c) => distanceFrom(channel, counts[c] ?? [])?.drift ?? 0),
  )
}
