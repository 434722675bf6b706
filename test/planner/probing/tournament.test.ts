import t from 'tap'
import type { Attempt } from '../../../planner/probing/attempts.ts'
import type { Prober } from '../../../planner/probing/choose-probers.ts'
import { type Entrant, evidenceOf } from '../../../planner/probing/evidence.ts'
import type { MatchOrder } from '../../../planner/probing/next-step.ts'
import { planTournament, type TournamentView } from '../../../planner/probing/tournament.ts'
import { choose } from '../../../planner/selection/index.ts'
import type { ProbeRecord } from '../../../shared/measure/index.ts'
import { newModel } from '../storage/sample.ts'
import { prober } from './prober.ts'
import { USUAL_RULES } from './usual-rules.ts'

const START = Date.parse('2026-11-29T12:00:00.000Z')
const { wholeQuality } = newModel.reference

const entrant = (key: string, bytes: number, runtime: Entrant['runtime'] = 'litert'): Entrant => ({
  key,
  scheme: key.split('@')[0] ?? key,
  runtime,
  bytes,
  yardstick: runtime === 'litert' ? 'float32' : `float32@${runtime}`,
  host: { whole: { ...wholeQuality }, slice: { ...wholeQuality } },
})

const FLOAT = entrant('float32', 400_000)
const INT8 = entrant('static-w8a8', 110_000)
const HALF = entrant('float16', 200_000)

/** Devices that measure what they are told, exactly, unless something is the matter. */
class Class {
  now = START
  readonly attempts: Attempt[] = []
  readonly orders: MatchOrder[] = []
  readonly view: Omit<TournamentView, 'attempts' | 'now' | 'measuring'>
  /** ms of a variant on a device. */
  readonly takes: (variant: string, device: string) => number
  verdictOf: (order: MatchOrder, tries: number) => ProbeRecord['verdict'] | 'crashed' | 'lost' =
    () => 'ok'
  flagsOf: (order: MatchOrder) => readonly string[] = () => []
  ratioError = 0.01

  constructor(
    entrants: readonly Entrant[],
    devices: readonly Prober[],
    takes: (variant: string, device: string) => number,
    over: Partial<TournamentView> = {},
  ) {
    this.takes = takes
    this.view = {
      entrants,
      devices,
      dataBytes: 0,
      rules: USUAL_RULES,
      acceptNoise: false,
      settlingIn: false,
      ...over,
    }
  }

  next(devices = this.view.devices) {
    const { attempts, now } = this
    return planTournament({
      ...this.view,
      devices,
      attempts,
      measuring: new Set(),
      now: new Date(now),
    })
  }

  answer(order: MatchOrder): void {
    const { variant, rival, device } = order
    const again = this.attempts.filter(
      (one) => one.variant === variant && one.rival === rival && one.device === device,
    )
    const outcome = this.verdictOf(order, again.length)
    const isRecord = outcome !== 'crashed' && outcome !== 'lost'
    this.orders.push(order)
    this.attempts.push({
      variant,
      rival,
      device,
      state: isRecord ? 'measured' : outcome === 'crashed' ? 'failed' : 'lost',
      record: isRecord ? this.#record(order, outcome) : null,
      error: isRecord
        ? null
        : { code: outcome === 'crashed' ? 'crashed' : 'no-answer', message: '' },
      orderedAt: new Date(this.now).toISOString(),
      finishedAt: new Date(this.now + 2000).toISOString(),
    })
    this.now += 2000
  }

  #record(order: MatchOrder, verdict: ProbeRecord['verdict']): ProbeRecord {
    const { variant, rival, device } = order
    const p50Ms = this.takes(variant, device)
    const around = (value: number): [number, number] => [
      value * (1 - this.ratioError),
      value * (1 + this.ratioError),
    ]
    const ratio = rival === null ? null : p50Ms / this.takes(rival, device)
    return {
      probeVersion: 1,
      threads: 1,
      loadMs: 1,
      firstMs: 1,
      latency: {
        n: 200,
        p50Ms,
        p50Ci95: around(p50Ms),
        p90Ms: null,
        p99Ms: null,
        minMs: p50Ms,
        meanMs: p50Ms,
      },
      ratioToBaseline: ratio === null ? null : { p50: ratio, ci95: around(ratio) },
      peakMemoryBytes: 50e6,
      quality: { ...wholeQuality },
      flags: [...(verdict === 'ok' ? [] : ['busy-machine']), ...this.flagsOf(order)],
      verdict,
    }
  }

  /** Until the choice would not change any more, or nothing more can be done at once. */
  play(devices = this.view.devices) {
    for (let turn = 0; turn < 100; turn++) {
      const step = this.next(devices)
      if (step.kind !== 'measure') return step
      if (step.orders.length === 0) throw new Error(`nobody does anything: ${step.waiting}`)
      for (const order of step.orders) this.answer(order)
    }
    throw new Error('the tournament does not end')
  }

  chosen() {
    const { measured, duels } = evidenceOf(this.view.entrants, this.attempts, this.view.acceptNoise)
    return choose({ ...this.view.rules, candidates: measured, duels, probers: 1 })
  }

  /** `a: static-w8a8/float32` */
  get said(): string[] {
    return this.orders.map(({ device, variant, rival }) => `${device}: ${variant}/${rival ?? '—'}`)
  }
}

const MS: Readonly<Record<string, number>> = { float32: 10, 'static-w8a8': 5, float16: 10.2 }
const told = (variant: string) => MS[variant] ?? 20

t.test('a class with one device: a heat each, and no more where the winner is clear', async (t) => {
  const one = new Class([FLOAT, INT8, HALF], [prober('a')], told)
  t.equal(one.play().kind, 'over')
  t.same(one.said, ['a: static-w8a8/float32', 'a: float16/float32'], 'float32 beside them')
  t.equal(one.chosen().winner, 'static-w8a8')
})

t.test('heats stay on one device; what wins is seen on all three', async (t) => {
  const three = new Class(
    [FLOAT, INT8],
    ['a', 'b', 'c', 'd'].map((id) => prober(id)),
    told,
  )
  t.equal(three.play().kind, 'over')
  t.same(three.said, ['a: static-w8a8/float32', 'b: static-w8a8/float32', 'c: static-w8a8/float32'])
})

t.test('who may still win meets the leader in turns, whatever the runtime', async (t) => {
  const rivals = [INT8, entrant('static-w8a8@onnxruntime', 118_000, 'onnxruntime'), FLOAT]
  const floatThere = entrant('float32@onnxruntime', 410_000, 'onnxruntime')
  const close = new Class([...rivals, floatThere], [prober('a')], (variant) =>
    variant.startsWith('float32') ? 12 : variant === 'static-w8a8' ? 5.6 : 5,
  )
  close.play()
  t.ok(close.said.includes('a: static-w8a8/static-w8a8@onnxruntime'), close.said.join(', '))
  t.equal(close.orders.filter(({ match }) => match === 'duel').length, 1, 'one meeting says it')
  t.equal(close.chosen().winner, 'static-w8a8@onnxruntime')
  t.match(close.chosen().why, /float32's latency/)
  const beside = close.orders.find(({ variant }) => variant === 'static-w8a8@onnxruntime')
  t.equal(beside?.rival, 'float32@onnxruntime', 'people see it beside float32 on its own runtime')
})

t.test(
  'what two meetings on each device do not show is no difference: the smaller file',
  async (t) => {
    const tie = new Class([FLOAT, HALF], [prober('a'), prober('b')], (variant) =>
      variant === 'float32' ? 10 : 10.3,
    )
    tie.ratioError = 0.04
    t.equal(tie.play().kind, 'over')
    t.equal(tie.orders.filter(({ match }) => match === 'duel').length, 3, 'a heat was one already')
    t.equal(tie.chosen().winner, 'float16')
    t.match(tie.chosen().why, /less than 5 % slower than float32 on litert/)
  },
)

t.test('a measurement ends at the bound itself where no other device will be asked', async (t) => {
  for (const [devices, bounds] of [
    [['a'], [1.05]],
    [
      ['a', 'b'],
      [1.05 / 1.02, 1.05 * 1.02],
    ],
  ] as const) {
    const tie = new Class(
      [FLOAT, HALF],
      devices.map((id) => prober(id)),
      (variant) => (variant === 'float32' ? 10 : 10.3),
    )
    tie.ratioError = 0.04
    tie.play()
    const duel = tie.orders.find(({ match }) => match === 'duel')
    const said = duel?.decides?.map((bound) => bound.toFixed(4))
    t.same(
      said,
      bounds.map((bound) => bound.toFixed(4)),
    )
  }
})

t.test('who was behind and wins after all is asked for its answers first', async (t) => {
  const fields = new Class([FLOAT, INT8], [prober('a')], told)
  fields.flagsOf = ({ variant }) =>
    variant === 'static-w8a8' && fields.orders.length < 2 ? ['behind'] : []
  t.equal(fields.play().kind, 'over')
  t.same(fields.said, ['a: static-w8a8/float32', 'a: static-w8a8/float32'])
  t.equal(fields.chosen().winner, 'static-w8a8')
})

t.test('where latency does not decide nobody is behind', async (t) => {
  for (const objective of ['latency', 'size'] as const) {
    const all = new Class([FLOAT, INT8, HALF], [prober('a')], told, {
      fields: true,
      rules: { ...USUAL_RULES, objective },
    })
    const step = all.next()
    const [order] = step.kind === 'measure' ? step.orders : []
    t.equal(order?.others?.length, 2)
    t.equal(order?.decides !== undefined, objective === 'latency')
  }
})

t.test('the variant in use is compared in turns, for people', async (t) => {
  const inUse = new Class([FLOAT, INT8, HALF], [prober('a')], told, {
    rules: { ...new Class([], [], told).view.rules, incumbent: 'float16' },
  })
  inUse.play()
  t.ok(inUse.said.includes('a: float16/static-w8a8'), inUse.said.join(', '))
  t.match(inUse.chosen().why, /0.49× \(0.49×–0.50×\) the latency of float16 on litert in use/)
})

t.test('a disturbed measurement is made again, later, and then it counts', async (t) => {
  const noisy = new Class([FLOAT, INT8], [prober('a')], told)
  noisy.verdictOf = ({ variant }, tries) =>
    variant === 'static-w8a8' && tries < 2 ? 'contended' : 'ok'
  noisy.play()
  const step = noisy.next()
  t.match(step, {
    kind: 'wait',
    stuck: false,
    waiting:
      /waits for a quieter moment to measure static-w8a8 on litert on a \(contended: busy-machine\), again at 2026-11-29T12:00:/,
  })
  t.same(noisy.said, ['a: static-w8a8/float32', 'a: float32/—'])
  noisy.now += 15_000
  noisy.play()
  t.equal(noisy.orders.length, 3)
  noisy.now += 15_000
  t.equal(noisy.play().kind, 'wait', 'the second pause is twice as long')
  noisy.now += 15_000
  t.equal(noisy.play().kind, 'over')
  t.equal(noisy.orders.length, 4)
  t.match(noisy.chosen(), { winner: 'static-w8a8' })
})

t.test('on a device that never rests it goes to another of the class', async (t) => {
  const pair = new Class([FLOAT, INT8], [prober('a'), prober('b')], told)
  pair.verdictOf = ({ device }) => (device === 'a' ? 'noisy' : 'ok')
  t.equal(pair.play().kind, 'over', 'nobody waits for it')
  t.same(pair.said, ['a: static-w8a8/float32', 'b: static-w8a8/float32', 'a: float32/—'])
})

t.test('who is away takes no place from who is here, however disturbed that is', async (t) => {
  const here = prober('a')
  const pair = new Class([FLOAT, INT8], [here, { ...prober('b'), online: false }], told)
  pair.verdictOf = (_, tries) => (tries < 3 ? 'noisy' : 'ok')
  const step = pair.play()
  t.ok(pair.orders.length >= 2, 'disturbed as often as makes another take its place')
  t.match(step, { kind: 'wait', stuck: false, waiting: /a quieter moment to measure .* on a / })
  for (let quiet = 0; quiet < 20; quiet += 1) {
    pair.now += 60_000
    pair.play()
  }
  t.equal(pair.next().kind, 'over')
  t.match(pair.chosen(), { winner: 'static-w8a8' })
})

t.test(
  'where nothing ever rests it is undecided, says for what, and tries now and then',
  async (t) => {
    const never = new Class([FLOAT, INT8], [prober('a')], told)
    never.verdictOf = () => 'throttled'
    for (let hour = 0; hour < 3; hour++) {
      never.play()
      for (let wait = 0; wait < 20; wait++) {
        never.now += 60_000
        never.play()
      }
    }
    const step = never.next()
    t.match(step, { kind: 'wait', stuck: true })
    t.match(
      step.kind === 'wait' && step.waiting,
      /undecided: no quiet moment for .* on a \(throttled/,
    )
    t.match(step.kind === 'wait' && step.waiting, /--accept-noise ships on what there is/)
    t.ok(never.orders.length <= 2 * 7, `${never.orders.length} orders`)
    t.equal(never.chosen().winner, null, 'nothing was measured that may decide')
  },
)

t.test('the operator may accept what there is, and it is said', async (t) => {
  const accepted = new Class([FLOAT, INT8], [prober('a')], told, { acceptNoise: true })
  accepted.verdictOf = () => 'noisy'
  t.equal(accepted.play().kind, 'over')
  t.equal(accepted.orders.length, 1)
  const evidence = evidenceOf(accepted.view.entrants, accepted.attempts, true)
  t.same(evidence.accepted, ['noisy'])
  t.match(evidence.measured[0]?.notes, [/accepted by --accept-noise/])
  t.equal(accepted.chosen().winner, 'static-w8a8')
})

t.test('a device that goes away in round two: another of the class takes over', async (t) => {
  const [a, b] = [prober('a'), prober('b')]
  const leaving = new Class([FLOAT, INT8, HALF], [a, b], (variant) =>
    variant === 'float16' ? 5.2 : told(variant),
  )
  const heats = 2
  while (leaving.orders.length < heats) {
    const step = leaving.next()
    if (step.kind !== 'measure') break
    for (const order of step.orders) leaving.answer(order)
  }
  const gone = [{ ...a, online: false }, b]
  t.equal(leaving.play(gone).kind, 'over')
  const later = leaving.orders.slice(heats)
  t.ok(later.length > 0 && later.every(({ device }) => device === 'b'), leaving.said.join(', '))
  t.equal(leaving.chosen().winner, 'static-w8a8')
  const alone = [
    { ...a, online: false },
    { ...b, online: false },
  ]
  leaving.attempts.length = heats
  t.match(leaving.next(alone), {
    kind: 'wait',
    waiting: /no device of the class is online/,
    stuck: true,
  })
})

t.test('who lies is not believed, is named, and is not asked again', async (t) => {
  const devices = ['a', 'b', 'c', 'd'].map((id) => prober(id))
  const lying = new Class([FLOAT, INT8], devices, (variant, device) =>
    device === 'a' ? (variant === 'static-w8a8' ? 0.02 : 0.01) : told(variant),
  )
  t.equal(lying.play().kind, 'over')
  const { notBelieved } = evidenceOf(lying.view.entrants, lying.attempts, false)
  t.match([...notBelieved], [['a', /0.02 ms where others of its class take/]])
  t.equal(lying.chosen().winner, 'static-w8a8', 'the honest ones decide')
  const impossible = new Class([FLOAT], devices.slice(0, 2), (_, device) =>
    device === 'a' ? 1e-7 : 10,
  )
  t.equal(impossible.play().kind, 'over')
  t.match(
    [...evidenceOf([FLOAT], impossible.attempts, false).notBelieved],
    [['a', /no call is that short/]],
  )
  t.same(impossible.said, ['a: float32/—', 'b: float32/—'])
})

t.test('a class of one device that lies waits for one that does not', async (t) => {
  const liar = new Class([FLOAT], [prober('a')], () => 1e-7)
  t.match(liar.play(), { kind: 'wait', stuck: true, waiting: /a is left out: it claims 1e-7 ms/ })
})

t.test('crashes are answers, silence is asked again once, then it goes elsewhere', async (t) => {
  const ill = new Class([FLOAT, INT8], [prober('a'), prober('b')], told)
  ill.verdictOf = ({ device, variant }) =>
    variant === 'float32' ? 'ok' : device === 'a' ? 'lost' : 'crashed'
  t.equal(ill.play().kind, 'over')
  t.same(
    ill.said.filter((line) => line.includes('static')),
    ['a: static-w8a8/float32', 'a: static-w8a8/float32', 'b: static-w8a8/float32'],
  )
  t.equal(ill.chosen().winner, 'float32')
})

t.test('where size is the objective nothing is measured twice', async (t) => {
  const rules = { ...new Class([], [], told).view.rules, objective: 'size' as const }
  const small = new Class([FLOAT, INT8, HALF], [prober('a')], () => 10, { rules })
  t.equal(small.play().kind, 'over')
  t.equal(small.orders.length, 3)
})
