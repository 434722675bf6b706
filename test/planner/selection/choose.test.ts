import t from 'tap'
import { choose } from '../../../planner/selection/choose.ts'
import { comparisons } from '../../../planner/selection/comparison.ts'
import type { SelectionInput } from '../../../planner/selection/input.ts'
import type { Constraints, Duel, Measured } from '../../../planner/selection/measured.ts'

interface Row {
  p50?: number
  /** Half-width of the latency interval, as a share. */
  ci?: number
  ratio?: number | null
  bytes?: number
  memory?: number
  drop?: number | null
  basis?: Measured['quality']['basis']
  sqnrDb?: number
}

function measured(scheme: string, row: Row): Measured {
  const p50 = row.p50 ?? 10
  const ci = row.ci ?? 0.01
  const around = (value: number): [number, number] => [value * (1 - ci), value * (1 + ci)]
  const ratio = row.ratio === undefined ? p50 / 10 : row.ratio
  return {
    key: scheme,
    scheme,
    runtime: 'litert',
    bytes: row.bytes ?? 400_000,
    latency: {
      p50Ms: p50,
      ci95: around(p50),
      ratio: ratio === null ? null : { p50: ratio, ci95: around(ratio) },
    },
    yardstick: 'float32',
    memoryBytes: row.memory ?? 50e6,
    quality: {
      basis: row.basis ?? 'labels',
      drop: row.drop === undefined ? 0 : row.drop,
      accuracy: 0.9,
      agreement: 0.99,
      sqnrDb: row.sqnrDb ?? 30,
    },
    devices: 1,
    notes: [],
  }
}

const free: Constraints = {
  maxAccuracyDrop: 0.01,
  maxLatencyMs: null,
  maxMemoryBytes: null,
  maxBytes: null,
}

interface Story {
  name: string
  candidates: Measured[]
  constraints?: Partial<Constraints>
  input?: Partial<Omit<SelectionInput, 'candidates' | 'constraints'>>
  winner: string | null
  ranking?: string[]
  /** Words that the printed reasons must hold, by candidate; '' is the one-sentence why. */
  says?: Record<string, RegExp>
}

const float32 = measured('float32', { p50: 10, bytes: 400_000 })
const int8 = measured('static-w8a8', { p50: 5, bytes: 110_000, memory: 45e6, drop: 0.004 })

function inTurns({ disturbed }: { readonly disturbed: boolean }): Duel {
  const ratio = { p50: 1.12, ci95: [0.9, 1.3] as [number, number] }
  return { key: 'float16', rival: 'float32', device: 'a', ratio, disturbed }
}

/** What one device says of the same pair when it is asked again. */
function again(p50: number, ci95: [number, number]): Duel {
  return { key: 'float16', rival: 'float32', device: 'a', ratio: { p50, ci95 }, disturbed: true }
}

const stories: Story[] = [
  {
    name: 'the fastest wins when it keeps its accuracy',
    candidates: [float32, int8],
    winner: 'static-w8a8',
    says: {
      '': /static-w8a8 on litert: best latency, 0.50× float32's latency \(5 ms\), 107.4 KiB, loses 0.4 pt/,
      float32: /slower, larger|kept|meets/,
    },
  },
  {
    name: 'accuracy lost beyond the budget drops the fastest',
    candidates: [float32, measured('static-w8a8', { p50: 5, bytes: 110_000, drop: 0.034 })],
    winner: 'float32',
    says: { 'static-w8a8': /loses 3.4 pt of accuracy, budget 1.0 pt/ },
  },
  {
    name: 'int8 slower than float32 does not ship for latency',
    candidates: [float32, measured('static-w8a8', { p50: 17, bytes: 110_000 })],
    winner: 'float32',
    ranking: ['float32', 'static-w8a8'],
    says: { 'static-w8a8': /^1.70× the latency of float32 on litert$/ },
  },
  {
    name: 'one that is not shown to be slower is a tie, and the smaller file',
    candidates: [
      measured('float32', { p50: 10, ci: 0.2 }),
      measured('static-w8a8', { p50: 11, ci: 0.2, bytes: 110_000 }),
    ],
    winner: 'static-w8a8',
    says: { '': /no difference shown against float32 on litert .*1.10× \(0.90×–1.35×\)/ },
  },
  {
    name: 'where float32 may not ship, a slower int8 is what there is',
    candidates: [float32, measured('static-w8a8', { p50: 17, bytes: 110_000 })],
    constraints: { maxBytes: 200_000 },
    winner: 'static-w8a8',
  },
  {
    name: 'the mixed form that wins over float32 ships instead',
    candidates: [
      float32,
      measured('static-w8a8-u8s8', { p50: 12, bytes: 110_000 }),
      measured('static-w8a8-u8s8-mixed', { p50: 7.2, bytes: 120_000 }),
    ],
    winner: 'static-w8a8-u8s8-mixed',
    says: { '': /best latency, 0.72×/, 'static-w8a8-u8s8': /1.20× the latency of float32/ },
  },
  {
    name: 'the same int8 ships when size is the objective',
    candidates: [float32, measured('static-w8a8', { p50: 17, bytes: 110_000 })],
    input: { objective: 'size' },
    winner: 'static-w8a8',
  },
  {
    name: 'memory as objective',
    candidates: [float32, measured('static-w8a8', { p50: 17, bytes: 500_000, memory: 20e6 })],
    input: { objective: 'memory' },
    winner: 'static-w8a8',
  },
  ...[false, true].map((disturbed) => ({
    name: `what is likely slower by 12 %, and not shown to be, ${disturbed ? 'loses where it was disturbed' : 'wins by its size at rest'}`,
    candidates: [float32, measured('float16', { p50: 11.2, bytes: 200_000 })],
    input: { duels: [inTurns({ disturbed })] },
    winner: disturbed ? 'float32' : 'float16',
    says: disturbed
      ? { '': /best latency/, float16: /1\.12× \(0\.93×–1\.35×\)/ }
      : { '': /no difference shown against float32 .*1\.12× \(0\.93×–1\.35×\)/ },
  })),
  {
    name: 'asked again a device is as sure as in its surest measurement, whatever a disturbed one said before',
    candidates: [float32, measured('float16', { p50: 9, bytes: 200_000 })],
    input: { duels: [again(0.9, [0.7, 1.16]), again(1.083, [1.05, 1.117])] },
    winner: 'float32',
    says: { float16: /1\.08× \(1\.03×–1\.13×\)/ },
  },
  {
    name: 'a tie inside 5 % goes to the smaller file, and what is shown to differ by less is not said to be no difference',
    candidates: [float32, measured('float16', { p50: 10.4, bytes: 200_000 })],
    winner: 'float16',
    says: { '': /less than 5 % slower than float32 on litert .* and smaller/ },
  },
  {
    name: 'a tie by overlapping intervals goes to the smaller file',
    candidates: [
      measured('float32', { p50: 10, ci: 0.08 }),
      measured('float16', { p50: 10.7, ci: 0.08, bytes: 200_000 }),
    ],
    winner: 'float16',
  },
  {
    name: 'who is shown to be slower, and by more than matters as far as one can tell, ties with nobody',
    candidates: [
      measured('float32', { p50: 10, ci: 0.03 }),
      measured('float16', { p50: 10.8, ci: 0.04, bytes: 200_000 }),
    ],
    winner: 'float32',
  },
  {
    name: 'half the time is no difference either, where intervals are too wide to show it',
    candidates: [
      measured('static-w8a8', { p50: 4, ci: 0.5, bytes: 110_000 }),
      measured('dynamic-w8', { p50: 8, ci: 0.5, bytes: 90_000 }),
    ],
    winner: 'dynamic-w8',
  },
  {
    name: 'a tie does not go to a file that is smaller by a sliver',
    candidates: [
      measured('static-w8a8', { p50: 8, bytes: 110_000 }),
      measured('dynamic-w8', { p50: 8.2, bytes: 108_000 }),
    ],
    winner: 'static-w8a8',
  },
  {
    name: 'clear of noise the faster file wins though it is larger',
    candidates: [float32, measured('float16', { p50: 11, bytes: 200_000 })],
    winner: 'float32',
  },
  {
    name: 'the incumbent stays inside noise though a smaller one ties',
    candidates: [float32, measured('float16', { p50: 9.8, bytes: 200_000 })],
    input: { incumbent: 'float32' },
    winner: 'float32',
    says: { '': /in use already/ },
  },
  {
    name: 'the incumbent goes when beaten by more than noise',
    candidates: [float32, int8],
    input: { incumbent: 'float32' },
    winner: 'static-w8a8',
  },
  {
    name: 'the incumbent goes when it breaks a constraint',
    candidates: [float32, measured('static-w8a8', { p50: 9.9, drop: 0.02 })],
    input: { incumbent: 'static-w8a8' },
    winner: 'float32',
  },
  {
    name: 'a latency ceiling nobody meets ships nothing and shows the nearest',
    candidates: [float32, int8],
    constraints: { maxLatencyMs: 1 },
    winner: null,
    ranking: [],
    says: { '': /nothing ships; the nearest is float32 on litert: takes 10 ms, ceiling 1 ms/ },
  },
  {
    name: 'storage of the class drops what does not fit',
    candidates: [float32, int8],
    input: { room: { storageBytes: 200_000, memoryBytes: null } },
    winner: 'static-w8a8',
    says: { float32: /390.6 KiB is more than the 195.3 KiB of storage the class has/ },
  },
  {
    name: 'the operator’s own size limit is named as such',
    candidates: [float32, int8],
    constraints: { maxBytes: 150_000 },
    winner: 'static-w8a8',
    says: { float32: /allowed/ },
  },
  {
    name: 'a memory ceiling',
    candidates: [float32, int8],
    constraints: { maxMemoryBytes: 47e6 },
    winner: 'static-w8a8',
    says: { float32: /needs 47.7 MiB of memory, 44.8 MiB allowed/ },
  },
  {
    name: 'memory that devices have',
    candidates: [float32, int8],
    input: { room: { storageBytes: null, memoryBytes: 47e6 } },
    winner: 'static-w8a8',
    says: { float32: /there for a model/ },
  },
  {
    name: 'what another beats in every way is dropped by name',
    candidates: [int8, measured('dynamic-w8', { p50: 9, bytes: 120_000, drop: 0.005 })],
    winner: 'static-w8a8',
    says: {
      'dynamic-w8':
        /slower, larger, hungrier for memory, less accurate than static-w8a8 on litert, and better in nothing/,
    },
  },
  {
    name: 'without ratios milliseconds are compared',
    candidates: [
      measured('float16', { p50: 8, ratio: null }),
      measured('static-w8a8', { p50: 5, ratio: null }),
    ],
    winner: 'static-w8a8',
    says: { '': /best latency, 5 ms/ },
  },
  {
    name: 'ratios outrank milliseconds measured at different times',
    candidates: [
      measured('float32', { p50: 10, ratio: 1 }),
      measured('static-w8a8', { p50: 11, ratio: 0.6 }),
    ],
    winner: 'static-w8a8',
  },
  {
    name: 'without labels disagreement with float32 stands for accuracy and says so',
    candidates: [float32, measured('static-w8a8', { p50: 5, drop: 0.05, basis: 'agreement' })],
    winner: 'float32',
    says: { 'static-w8a8': /differ from float32 in 5.0 pt of samples.*no labels/ },
  },
  {
    name: 'outputs that are no classes are judged by their signal-to-noise ratio',
    candidates: [
      measured('float32', { basis: 'sqnr', drop: null, sqnrDb: 120 }),
      measured('static-w8a8', { p50: 5, basis: 'sqnr', drop: null, sqnrDb: 12 }),
    ],
    winner: 'float32',
    says: { 'static-w8a8': /12.0 dB/ },
  },
  {
    name: 'all that may ship is ranked for devices too small for the winner',
    candidates: [float32, int8, measured('float16', { p50: 10.2, bytes: 200_000 })],
    winner: 'static-w8a8',
    ranking: ['static-w8a8', 'float32', 'float16'],
  },
  {
    name: 'nothing measured',
    candidates: [],
    winner: null,
    says: { '': /no variant was measured/ },
  },
]

for (const story of stories) {
  t.test(story.name, async (t) => {
    const input: SelectionInput = {
      candidates: story.candidates,
      constraints: { ...free, ...story.constraints },
      objective: 'latency',
      room: { storageBytes: null, memoryBytes: null },
      incumbent: null,
      ...story.input,
    }
    const selection = choose(input)
    t.equal(selection.winner, story.winner)
    t.same(
      selection.rows.map(({ key }) => key).sort(),
      story.candidates.map(({ key }) => key).sort(),
      'a reason for every candidate',
    )
    t.ok(selection.rows.every(({ reason }) => reason.length > 0))
    if (story.ranking) t.same(selection.ranking, story.ranking)
    for (const [key, words] of Object.entries(story.says ?? {})) {
      const said =
        key === '' ? selection.why : selection.rows.find((row) => row.key === key)?.reason
      t.match(said, words)
    }
    const shuffled = choose({ ...input, candidates: [...story.candidates].reverse() })
    t.equal(shuffled.winner, selection.winner, 'order of candidates does not matter')
  })
}

t.test(
  'two that met the same third in turns are compared through it, on that device alone',
  async (t) => {
    const [slow, mixed] = ['slow', 'mixed'].map((scheme) => ({
      ...measured(scheme, { p50: 10, ratio: null }),
      yardstick: null,
    })) as [Measured, Measured]
    const duel = (
      key: string,
      rival: string,
      device: string,
      p50: number,
      share: number,
    ): Duel => ({
      ...{ key, rival, device },
      ratio: { p50, ci95: [p50 * (1 - share), p50 * (1 + share)] },
    })
    const met = [
      duel('slow', 'third', 'a', 2, 0.01),
      duel('third', 'mixed', 'a', 1.1, 0.01),
      // Met both as well, and tells less.
      duel('slow', 'vague', 'a', 3, 0.5),
      duel('mixed', 'vague', 'a', 1, 0.5),
    ]
    const found = comparisons(met)(slow, mixed)
    t.equal(found.basis, 'through-third')
    t.ok(Math.abs(found.p50 - 2.2) < 1e-9, `${found.p50}`)
    t.ok(found.ci95[0] > 2.05 && found.ci95[1] < 2.35, `${found.ci95}`)
    t.equal(
      comparisons([...met, duel('slow', 'mixed', 'a', 2, 0.1)])(slow, mixed).basis,
      'in-turns',
    )
    const elsewhere = met.map((one) => (one.key === 'slow' ? { ...one, device: 'b' } : one))
    t.not(comparisons(elsewhere)(slow, mixed).basis, 'through-third')
  },
)
