import t from 'tap'
import { budgetOf, budgetOfField, FULL_BUDGET } from '../../../shared/measure/budget.ts'
import { measureBeside, measureField, measureLatency } from '../../../shared/measure/latency.ts'
import { latencyRecordSchema } from '../../../shared/measure/latency-record.ts'
import { loadInProcess } from '../../../shared/runtime/load-runtime.ts'
import { seededRandom } from '../../../shared/statistics/seeded-random.ts'
import { tensor } from '../../../shared/tensors.ts'
import { modelBytes } from '../../fixture-models.ts'

/** A clock that only runs advance, by what `cost` says of the time so far. */
function simulated(cost: (nowMs: number, turn: number) => number) {
  let now = 0
  return {
    clock: () => now,
    run: (turn: number) => {
      now += cost(now, turn)
    },
  }
}

/** 10 ms ± 5 %, the same in every test run. */
function noisy(middle = 10) {
  const random = seededRandom(1)
  return () => middle * (0.95 + 0.1 * random())
}

t.test('a steady model is measured until the interval is narrow', async (t) => {
  const { clock, run } = simulated(noisy())
  const record = await measureLatency(run, FULL_BUDGET, { clock })
  t.equal(record.stopped, 'precise')
  t.ok(record.n >= 1000 && record.n < 1200, `${record.n} runs of 10 ms in 10 s`)
  t.ok(Math.abs(record.p50Ms - 10) < 0.1)
  t.ok(record.p50Ci95[0] <= 10 && record.p50Ci95[1] >= 10, 'the interval holds the truth')
  t.ok(record.minMs >= 9.5 && record.maxMs <= 10.5)
  t.ok(Math.abs((record.p90Ms ?? 0) - 10.4) < 0.1)
  t.ok(record.p99Ms)
  t.ok(Math.abs(record.trend) < 0.02)
  t.equal(record.peakDistance, 1)
  t.ok(record.warmup.settled && record.warmup.ms >= 1000)
  t.ok(record.effectiveN > 0.8 * record.n)
  t.same(latencyRecordSchema.parse(JSON.parse(JSON.stringify(record))), record)
})

t.test(
  'the cap of time ends what never settles, and too few runs give no percentiles',
  async (t) => {
    const random = seededRandom(2)
    const { clock, run } = simulated(() => 1000 * (0.2 + 2 * random()))
    const record = await measureLatency(run, FULL_BUDGET, { clock })
    t.equal(record.stopped, 'time')
    t.equal(record.p90Ms, null, `${record.n} runs are not 64`)
    t.equal(record.p99Ms, null)
    t.notOk(record.warmup.settled)
  },
)

t.test(
  'code that is optimised while it runs warms up until it is, also where others share the time',
  async (t) => {
    let runs = 0
    // As wasm on a busy machine: steady, then three times as fast.
    const { clock, run } = simulated(() => (++runs * 2 <= 300 ? 2 : 0.7))
    const optimised = Object.assign(run, { optimisedAfterMs: 400 })
    const budget = budgetOfField(4_000, 5)
    const [record] = await measureField([optimised], budget, { clock })
    t.ok((record?.latency.warmup.ms ?? 0) >= 400, `${record?.latency.warmup.ms} ms`)
    t.equal(Math.round(10 * (record?.latency.maxMs ?? 0)), 7, 'none of the slow runs is counted')
    const little = await measureLatency(optimised, budgetOf(10), { clock })
    t.ok(little.warmup.ms < 50, 'never longer than the budget allows')
  },
)

t.test('the cap of runs ends a very fast model', async (t) => {
  const { clock, run } = simulated(() => 0.01)
  const record = await measureLatency(run, FULL_BUDGET, { clock })
  t.equal(record.stopped, 'runs')
  t.equal(record.n, 5000)
})

t.test('one run longer than the whole budget is still a measurement', async (t) => {
  const { clock, run } = simulated(() => 90_000)
  const record = await measureLatency(run, FULL_BUDGET, { clock })
  t.match(record, { n: 1, p50Ms: 90_000, stopped: 'time', warmup: { runs: 1 } })
  t.same(record.p50Ci95, [90_000, 90_000])
})

t.test('a short budget keeps the rules and its time', async (t) => {
  const { clock, run } = simulated(noisy(2))
  const record = await measureLatency(run, budgetOf(1000), { clock })
  t.equal(record.stopped, 'precise')
  t.ok(clock() < 1600, `${clock()} ms`)
  t.ok(record.blockMediansMs.length >= 10)
})

t.test('slowing down and switching clocks leave their marks', async (t) => {
  const slowing = simulated((now) => 10 * (1 + now / 40_000))
  const slow = await measureLatency(slowing.run, budgetOf(20_000), { clock: slowing.clock })
  t.ok(slow.trend > 0.2, `trend ${slow.trend}`)
  const jumping = simulated((now) => (Math.floor(now / 3000) % 2 === 0 ? 10 : 13))
  const jump = await measureLatency(jumping.run, FULL_BUDGET, { clock: jumping.clock })
  t.ok(Math.abs(jump.peakDistance - 1.3) < 0.05, `peaks ${jump.peakDistance}`)
  t.ok(jump.effectiveN < jump.n / 10, `${jump.effectiveN} of ${jump.n}`)
})

t.test('two models in turns: drift falls out of the ratio', async (t) => {
  const order: string[] = []
  let now = 0
  const noise = noisy(1)
  const subject = (name: string, cost: number) => () => {
    // The machine becomes three times slower while they are measured.
    now += cost * noise() * (1 + now / 10_000)
    order.push(name)
  }
  const result = await measureBeside(subject('B', 6), subject('A', 10), budgetOf(20_000), {
    clock: () => now,
  })
  t.ok(Math.abs(result.ratio.p50 - 0.6) < 0.02, `ratio ${result.ratio.p50}`)
  t.ok(result.ratio.ci95[0] < 0.6 && result.ratio.ci95[1] > 0.58, `${result.ratio.ci95}`)
  t.ok(result.ratio.ci95[1] - result.ratio.ci95[0] < 0.1)
  t.ok(result.latency.cv > 0.2, 'although each time is all over the place')
  const blocks = order.join('').replace(/A+/g, 'A').replace(/B+/g, 'B')
  t.match(blocks, /^BABA(BA)*B?$/, 'neighbouring blocks of one model run together: A B B A')
  t.equal(result.latency.blockMediansMs.length, result.baseline.blockMediansMs.length)
})

t.test(
  'several in turns: all are beside each other, and who is surely behind leaves',
  async (t) => {
    let now = 0
    const noise = noisy(2)
    const order: string[] = []
    const subject = (name: string, cost: number) => () => {
      now += cost * noise() * (1 + now / 50_000)
      order.push(name)
    }
    const runs = [subject('A', 10), subject('B', 10.1), subject('C', 30), subject('D', 12)]
    const decides = [0.93, 0.97, 1.03, 1.07]
    const budget = { ...budgetOfField(20_000, 4), decides }
    const field = await measureField(runs, budget, { clock: () => now })
    const blocks = field.map(({ latency }) => latency.blockMediansMs?.length ?? 0)
    t.ok((blocks[2] ?? 0) < (blocks[0] ?? 0), `three times as slow is told early: ${blocks}`)
    t.equal(field[2]?.latency.stopped, 'decided')
    t.equal(blocks[0], blocks[1], 'equal ones stay to the end')
    const ratio = (one: number, other: number) => field[one]?.ratios[other]
    t.ok(Math.abs((ratio(2, 0)?.p50 ?? 0) - 3) < 0.15, `${ratio(2, 0)?.p50}`)
    t.ok(Math.abs((ratio(3, 1)?.p50 ?? 0) - 12 / 10.1) < 0.05, 'nobody is only beside the fastest')
    t.ok(Math.abs((ratio(0, 3)?.p50 ?? 0) * (ratio(3, 0)?.p50 ?? 0) - 1) < 1e-9)
    t.equal(ratio(1, 1), null)
    const rounds = order.join('').replace(/(.)\1+/g, '$1')
    t.match(rounds, /ABCDCBABCD/, 'each round the other way round')
  },
)

t.test('quick models are told apart in short rounds, but not at the first glance', async (t) => {
  let now = 0
  let startedMs = 0
  const noise = noisy(1)
  const subject = (cost: number) => () => {
    now += cost * noise()
  }
  const budget = { ...budgetOfField(4_000, 3), decides: [0.93, 0.97, 1.03, 1.07] }
  const hooks = {
    clock: () => now,
    beforeBlocks: () => {
      startedMs = now
    },
  }
  const runs = [subject(0.2), subject(0.25), subject(0.6)]
  const field = await measureField(runs, budget, hooks)
  const tookMs = now - startedMs
  t.ok(field.every(({ latency }) => latency.stopped === 'decided'))
  t.ok(tookMs < budget.enough.ms / 2, `all is clear after ${tookMs.toFixed(0)} ms`)
  t.ok(tookMs >= budget.enough.ms / 4, 'a neighbour of a moment is outlasted')
  const runsOfBlock = (field[0]?.latency.n ?? 0) / (field[0]?.latency.blockMediansMs?.length ?? 1)
  t.ok(runsOfBlock >= 50, `${runsOfBlock} runs make a median`)
})

t.test('slow models keep the rounds that a paired interval needs', async (t) => {
  for (const [slowMs, rounds] of [
    [100, 6],
    [900, 6],
    [5_000, 2],
  ] as const) {
    let now = 0
    const cost = (ms: number) => () => {
      now += ms
    }
    const clock = () => now
    const { ratio } = await measureBeside(cost(slowMs / 2), cost(slowMs), budgetOf(3_000), {
      clock,
    })
    t.ok(ratio.rounds >= rounds, `${ratio.rounds} rounds of ${slowMs} ms`)
    t.ok(Math.abs(ratio.p50 - 0.5) < 1e-9)
    t.ok(now < 6 * 3_000 + 4 * slowMs, `${now} ms`)
  }
})

t.test('a clock that goes backwards costs a round, not the measurement', async (t) => {
  let now = 1e6
  let turns = 0
  const run = () => {
    turns += 1
    now += turns === 300 || turns === 500 ? -3_600_000 : 10
  }
  const record = await measureLatency(run, budgetOf(10_000), { clock: () => now })
  t.equal(record.clockJumps, 2)
  t.ok(record.minMs === 10 && record.maxMs === 10, `${record.minMs} … ${record.maxMs}`)
  let back = 0
  const always = () => {
    back += 1
    now += back % 3 === 0 ? -5 : 10
  }
  const spoiled = await measureBeside(always, always, budgetOf(1_000), { clock: () => now })
  t.ok((spoiled.latency.clockJumps ?? 0) > 3, 'it ends, and says so')
})

t.test('the world is asked between blocks only', async (t) => {
  const { clock, run } = simulated(() => 10)
  let inside = false
  const rounds: number[] = []
  await measureLatency(
    (turn) => {
      inside = true
      run(turn)
      inside = false
    },
    budgetOf(1000),
    { clock, afterBlock: (round) => rounds.push(inside ? -1 : round) },
  )
  t.same(rounds, [...rounds.keys()])
})

t.test('a real model on the real clock', async (t) => {
  const session = await (await loadInProcess('litert')).load(modelBytes('dense.tflite'))
  const inputs = { x: tensor('float32', [1, 4], Float32Array.of(1, 2, 3, 4)) }
  const record = await measureLatency(() => session.run(inputs), budgetOf(200))
  await session.close()
  t.ok(record.n >= 10 && record.minMs > 0 && record.minMs <= record.p50Ms)
  t.ok(record.p50Ms <= record.maxMs)
  t.ok(JSON.stringify(record.histogram).length < 2048)
})
