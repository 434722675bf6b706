import t from 'tap'
import { FULL_BUDGET, paced } from '../../../shared/measure/budget.ts'
import { measureBeside, measureLatency } from '../../../shared/measure/latency.ts'
import { latencyRecordSchema } from '../../../shared/measure/latency-record.ts'
import { measureSoak } from '../../../shared/measure/soak.ts'
import { soakRecordSchema } from '../../../shared/measure/soak-record.ts'
import { bestSetting } from '../../../shared/measure/thread-settings.ts'
import { seededRandom } from '../../../shared/statistics/seeded-random.ts'

/** Runs and pauses advance it, nothing else. */
function simulated(costMs: (nowMs: number) => number) {
  let now = 0
  const starts: number[] = []
  return {
    starts,
    clock: () => now,
    wait: async (ms: number) => {
      now += ms
    },
    run: () => {
      starts.push(now)
      now += costMs(now)
    },
  }
}

t.test('paced runs begin at the rate of the application, however long they take', async (t) => {
  const { run, starts, ...hooks } = simulated(() => 4)
  const record = await measureLatency(run, paced(FULL_BUDGET, 20), hooks)
  t.same(record.pace, { rateHz: 20, late: 0 })
  t.ok(Math.abs(record.p50Ms - 4) < 1e-6, 'the pause is not part of a run')
  const counted = starts.slice(record.warmup.runs)
  const gaps = new Set(counted.slice(1).map((at, i) => Math.round(at - (counted[i] ?? 0))))
  t.same([...gaps], [50])
  t.same(latencyRecordSchema.parse(JSON.parse(JSON.stringify(record))), record)
})

t.test('a model slower than its application asks is late, and is told so', async (t) => {
  const { run, starts: _, ...hooks } = simulated(() => 70)
  const record = await measureLatency(run, paced(FULL_BUDGET, 20), hooks)
  t.ok(record.pace && record.pace.late > 0.8 * record.n, `${record.pace?.late} of ${record.n}`)
})

t.test('a device that sleeps between runs is measured as it is then', async (t) => {
  let last = 0
  const clocked = simulated((now) => {
    const cold = now - last > 20
    last = now
    return cold ? 9 : 3
  })
  const { run, starts: _, ...hooks } = clocked
  t.equal((await measureLatency(run, FULL_BUDGET, hooks)).p50Ms, 3)
  t.equal((await measureLatency(run, paced(FULL_BUDGET, 10), hooks)).p50Ms, 9)
})

t.test('a slow rate gets the time of six rounds of three runs', async (t) => {
  const { run, starts: _, ...hooks } = simulated(() => 5)
  const budget = paced({ ...FULL_BUDGET, cap: { ms: 3_000, runs: 5_000 } }, 1, 2)
  const { latency, ratio } = await measureBeside(run, run, budget, hooks)
  t.ok(ratio.rounds >= 6, `${ratio.rounds} rounds`)
  t.ok(latency.n >= 15, `${latency.n} runs`)
})

t.test('measuring ends when the decision is certain, and goes on while it is not', async (t) => {
  const random = seededRandom(3)
  const beside = async (factor: number) => {
    let now = 0
    const run = (ms: number) => () => {
      now += ms * (0.97 + 0.06 * random())
    }
    const budget = { ...FULL_BUDGET, decides: [0.98, 1.02] }
    const started = now
    const result = await measureBeside(run(10 * factor), run(10), budget, { clock: () => now })
    return { ...result, tookMs: now - started }
  }
  const clear = await beside(1.5)
  t.equal(clear.latency.stopped, 'decided')
  t.ok(clear.ratio.rounds >= 6, `${clear.ratio.rounds} rounds`)
  const alike = await beside(1.019)
  t.not(alike.latency.stopped, 'decided', 'what lies at the bound is measured to the end')
  t.ok(alike.tookMs > 1.3 * clear.tookMs, `${alike.tookMs} against ${clear.tookMs} ms`)
})

t.test('a soak says from when on a device is slower, and by how much', async (t) => {
  const { run, starts: _, ...hooks } = simulated((now) => (now < 30_000 ? 10 : 13))
  const record = await measureSoak(run, { ms: 60_000, ...hooks })
  t.ok(record.ms >= 60_000)
  t.equal(record.firstMs, 10)
  t.equal(record.lastMs, 13)
  t.equal(record.slowdown, 1.3)
  t.ok(Math.abs((record.slowedAfterMs ?? 0) - 31_000) < 1_500, `${record.slowedAfterMs}`)
  t.same(soakRecordSchema.parse(JSON.parse(JSON.stringify(record))), record)
})

t.test('a soak of a device that keeps its speed says so, at its rate', async (t) => {
  const { run, starts, ...hooks } = simulated(() => 10)
  const look = async () => ({ celsius: 61.5 })
  const record = await measureSoak(run, { ms: 20_000, rateHz: 5, look, ...hooks })
  t.equal(record.slowedAfterMs, null)
  t.equal(record.slowdown, 1)
  t.equal(record.rateHz, 5)
  t.ok(starts.length >= 95 && starts.length <= 105, `${starts.length} runs in 20 s at 5 Hz`)
  t.ok(record.windows.every(({ celsius }) => celsius === 61.5))
})

t.test('threads that gain nothing are not taken', (t) => {
  const tried = (threads: number, p50Ms: number, cores: number[] | null = null) => ({
    ...{ threads, cores, p50Ms },
    ci95: [p50Ms, p50Ms] as const,
  })
  t.equal(bestSetting([tried(1, 10), tried(2, 6), tried(4, 5.9)])?.threads, 2)
  t.equal(bestSetting([tried(1, 1), tried(2, 1.4)])?.threads, 1)
  t.same(bestSetting([tried(2, 10), tried(2, 7, [4, 5])])?.cores, [4, 5])
  t.equal(bestSetting([tried(2, 7.1), tried(2, 7, [4, 5])])?.cores, null)
  t.equal(bestSetting([]), undefined)
  t.end()
})
