import t from 'tap'
import { drawn, type Holding } from './holdings.ts'
import type { Judged } from './judge.ts'
import { NETWORKS } from './list.ts'
import type { Outcome, Printed } from './quantize-file.ts'
import { keepsPromise, verdictOn } from './verdict.ts'

const SOURCE_BYTES = 100_000
const USAGE = { processorSeconds: 1, peakBytes: 1 }

function written(
  bytes: number,
  said: number,
  findings: Printed['findings'] = [],
  spreadDb = 2,
): Outcome {
  const printed = {
    findings,
    operators: { total: 4, integer: 4 },
    level: { outputs: [{ name: 'y', sqnrDb: said, spreadDb }] },
  }
  return { kind: 'written', path: 'y.onnx', bytes, printed, usage: USAGE }
}

function judgedAt(sqnrDb: number): Judged {
  return { outputs: [{ name: 'y', sqnrDb }], agreement: null, notFinite: 0 }
}

function warning(code: string, where: string): Printed['findings'][number] {
  return { code, severity: 'warning', message: 'said', where }
}

const CASES = [
  { name: 'as good as it said', outcome: written(30_000, 35), db: 33, kind: 'kept' },
  { name: 'poor without a word', outcome: written(30_000, 12), db: 12, kind: 'silent' },
  {
    name: 'poor, and said so',
    outcome: written(30_000, 12, [warning('output-noisy', 'y')]),
    db: 12,
    kind: 'warned',
  },
  {
    name: 'a dead part counts for its output',
    outcome: written(30_000, 12, [warning('slice-died', 'y[..., 4:84]')]),
    db: 12,
    kind: 'warned',
  },
  {
    name: 'a warning of another output',
    outcome: written(30_000, 12, [warning('output-noisy', 'z')]),
    db: 12,
    kind: 'silent',
  },
  {
    name: 'a warning of another output whose name begins alike',
    outcome: written(30_000, 12, [warning('output-noisy', 'y10')]),
    db: 12,
    kind: 'silent',
  },
  { name: 'far below what it said', outcome: written(30_000, 45), db: 30, kind: 'broken' },
  {
    name: 'below what it said, within what it said to be open',
    outcome: written(30_000, 45, [], 9),
    db: 37,
    kind: 'kept',
  },
  {
    name: 'far below what was said to be uncertain',
    outcome: written(30_000, 45, [warning('level-uncertain', 'y')]),
    db: 30,
    kind: 'kept',
  },
  {
    name: 'poor, and said that it may be',
    outcome: written(30_000, 32, [warning('level-uncertain', 'y')]),
    db: 12,
    kind: 'warned',
  },
  {
    name: 'poor, and said to be uncertain, but high',
    outcome: written(30_000, 45, [{ ...warning('level-uncertain', 'y'), severity: 'info' }]),
    db: 12,
    kind: 'silent',
  },
  {
    name: 'below what it said, far above what matters',
    outcome: written(30_000, 57),
    db: 46,
    kind: 'kept',
  },
  { name: 'beyond hearing', outcome: written(30_000, 120), db: 70, kind: 'kept' },
  { name: 'larger without a word', outcome: written(130_000, 40), db: 40, kind: 'silent' },
  {
    name: 'larger, and said so',
    outcome: written(130_000, 40, [warning('larger-than-source', '')]),
    db: 40,
    kind: 'warned',
  },
  { name: 'hardly smaller without a word', outcome: written(36_000, 40), db: 40, kind: 'silent' },
  {
    name: 'hardly smaller, and said so',
    outcome: written(36_000, 40, [{ ...warning('hardly-smaller', ''), severity: 'info' }]),
    db: 40,
    kind: 'warned',
  },
  {
    name: 'refused with a reason',
    outcome: { kind: 'refused', reason: 'no form', usage: USAGE } as const,
    db: 0,
    kind: 'refused',
  },
  {
    name: 'crashed',
    outcome: { kind: 'crashed', how: 'SIGSEGV' } as const,
    db: 0,
    kind: 'crashed',
  },
] as const

t.test('what a command did and what it said make a verdict', async (t) => {
  for (const { name, outcome, db, kind } of CASES) {
    const verdict = verdictOn(outcome, judgedAt(db), SOURCE_BYTES, 'static-w8a8')
    t.equal(verdict.kind, kind, name)
    t.equal(keepsPromise(verdict), ['kept', 'warned', 'refused'].includes(kind), name)
  }
  const broken = verdictOn(
    written(30_000, 40),
    { error: 'no such kernel' },
    SOURCE_BYTES,
    'static-w8a8',
  )
  const halves = verdictOn(written(52_000, 40), judgedAt(40), SOURCE_BYTES, 'float16')
  t.equal(halves.kind, 'kept', 'halves take half')
  t.match(broken, { kind: 'crashed', how: /no such kernel/ })
})

t.test('there are 30 networks of 50 KiB to 50 MiB, each under a name of its own', async (t) => {
  t.equal(NETWORKS.length, 30)
  t.equal(new Set(NETWORKS.map(({ name }) => name)).size, 30)
  for (const { name, bytes } of NETWORKS)
    t.ok(bytes >= 50 * 1024 && bytes <= 50 * 2 ** 20, `${name}: ${bytes}`)
})

const HOLDINGS: readonly (readonly [Holding, readonly number[], readonly [number, number]])[] = [
  [{ picture: [-1, 1] }, [1, 3, 16, 20], [-1, 1]],
  [{ picture: [0, 255] }, [1, 16, 20, 3], [0, 255]],
  [{ sound: 0.5 }, [1, 400], [-0.5, 0.5]],
  [{ spectrum: [-2, 2] }, [1, 10, 40], [-2, 2]],
  [{ files: true }, [1, 256], [0, 256]],
  [{ constant: 16_000 }, [], [16_000, 16_000]],
]

t.test('what inputs hold stays within its bounds, and is the same for the same seed', async (t) => {
  for (const [holding, shape, [least, most]] of HOLDINGS) {
    const [kind = ''] = Object.keys(holding)
    const numbers = drawn(holding, shape, 7)
    t.ok(
      numbers.every((one) => one >= least && one <= most),
      kind,
    )
    t.same(drawn(holding, shape, 7), numbers, kind)
    if (kind !== 'constant') t.not(drawn(holding, shape, 8).join(), numbers.join(), kind)
  }
})
