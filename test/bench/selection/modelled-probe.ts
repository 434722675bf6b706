import { spinFigures } from '../../../agent/probe/environment-monitor.ts'
import { judge } from '../../../agent/probe/verdict.ts'
import { measureMsOf } from '../../../planner/conductor/pipeline/measure-time.ts'
import type { MatchOrder } from '../../../planner/probing/index.ts'
import {
  budgetOf,
  budgetOfField,
  type LatencyBudget,
  type LatencyRatio,
  type LatencyRecord,
  measureBeside,
  measureField,
  measureLatency,
  type ProbeEnvironment,
  type ProbeRecord,
} from '../../../shared/measure/index.ts'
import type { ModelledDevice } from './fleet-model.ts'

/** What a probe costs beside measuring: a process, a runtime, a file each, ms. */
const PROCESS_MS = 600
const LOAD_MS = 150
/** Answers to the test slice. */
const SAMPLES = 100
/** A fixed piece of work between blocks. */
const SPIN_MS = 5
/** Of one run, single-threaded: processor time over wall time. */
const QUIET_CPU_SHARE = 0.985
/** What the rest of a system takes of all processors when nothing happens. */
const IDLE_LOAD = 0.01
const RUN_SPREAD = 0.02
const LOOK_MS = 500
const PROCESSORS = 2

export interface Probed {
  readonly record: ProbeRecord
  /** The device began then, after it had waited for a quiet moment. */
  readonly startedMs: number
  readonly endedMs: number
}

/** The real measuring, statistics and verdict, on a clock that is moved by modelled runs. */
export async function modelledProbe(
  device: ModelledDevice,
  { variant, rival, quietMs }: MatchOrder,
  at: number,
  budget: LatencyBudget,
): Promise<Probed> {
  const startedMs = quietFrom(device, at, quietMs)
  const loadsMs = LOAD_MS * (rival === null ? 1 : 2)
  const clock = new ModelledClock(
    device,
    startedMs + PROCESS_MS + loadsMs + answersMs(device, variant),
  )
  const run = clock.runOf(variant)
  const measured =
    rival === null
      ? { latency: await measureLatency(run, budget, clock.hooks), ratio: null }
      : await measureBeside(run, clock.runOf(rival), budget, clock.hooks)
  return { record: clock.record(measured), startedMs, endedMs: clock.now }
}

/** What an order of several comes to: a record for each, in the order in which they are asked for. */
export async function modelledField(
  device: ModelledDevice,
  { variant, rival, quietMs, others = [] }: MatchOrder,
  at: number,
  budget: LatencyBudget,
  ids: readonly string[],
): Promise<{ readonly records: readonly ProbeRecord[]; startedMs: number; endedMs: number }> {
  const startedMs = quietFrom(device, at, quietMs)
  const asked = [{ variant, rival }, ...others]
  const isAmong = asked.some((one) => one.variant === rival)
  const sides = [...asked.map((one) => one.variant), ...(rival && !isAmong ? [rival] : [])]
  const looks = asked.map((one) => PROCESS_MS + LOAD_MS + answersMs(device, one.variant))
  const looksMs = looks.reduce((sum, ms) => sum + ms, 0) / PROCESSORS
  const loaded = startedMs + looksMs + PROCESS_MS + LOAD_MS * sides.length
  const clock = new ModelledClock(device, loaded)
  const measured = await measureField(
    sides.map((one) => clock.runOf(one)),
    budget,
    clock.hooks,
  )
  const records = asked.map((one, place) => {
    const { latency, ratios } = measured[place] as (typeof measured)[number]
    const ratio = one.rival === null ? null : (ratios[sides.indexOf(one.rival)] ?? null)
    const met = ids.flatMap((probe, other) => {
      const ratio = ratios[other]
      return ratio ? [{ probe, ratio }] : []
    })
    return { ...clock.record({ latency, ratio }), ratios: met }
  })
  return { records, startedMs, endedMs: clock.now }
}

function answersMs(device: ModelledDevice, variant: string): number {
  return SAMPLES * (device.truth.get(variant) ?? 1)
}

/** The time of a device, moved by what runs there, and what disturbed it. */
class ModelledClock {
  now: number
  readonly #device: ModelledDevice
  readonly #seen = { load: 0, waitedMs: 0, wallMs: 0, hot: false }
  readonly #spins: number[] = []
  #measuring = false
  #round = -1

  constructor(device: ModelledDevice, startMs: number) {
    this.#device = device
    this.now = startMs
  }

  readonly hooks = {
    clock: () => this.now,
    beforeBlocks: () => {
      this.#measuring = true
      this.#spin()
    },
    afterBlock: (round: number) => {
      if (round !== this.#round) this.#spin()
      this.#round = round
    },
  }

  runOf(key: string): () => void {
    const { surroundings, draws, truth, sensitivity } = this.#device
    return () => {
      const workMs = (truth.get(key) ?? 1) * draws.factor(RUN_SPREAD)
      const outlier = draws.chance(0.005) ? 1 + draws.exponential(1) : 1
      const { wallMs, waitedMs } = surroundings.takes(
        workMs * outlier,
        this.now,
        sensitivity.get(key),
      )
      if (this.#measuring) {
        this.#seen.load += surroundings.loadAt(this.now) * wallMs
        this.#seen.wallMs += wallMs
        this.#seen.waitedMs += waitedMs
        this.#seen.hot ||= surroundings.isHotAt(this.now)
      }
      this.now += wallMs
    }
  }

  #spin(): void {
    const { surroundings, draws } = this.#device
    const { wallMs } = surroundings.takes(SPIN_MS * draws.factor(0.01), this.now)
    this.#spins.push(wallMs)
    this.now += wallMs
  }

  record({ latency, ratio }: Pick<Measured, 'latency' | 'ratio'>): ProbeRecord {
    const seen = this.#seen
    const evidence = {
      cpuShare: QUIET_CPU_SHARE * (1 - seen.waitedMs / seen.wallMs),
      involuntarySwitchesPerRun: 0,
      majorFaults: 0,
      stealShare: 0,
      // Others' share is of all processors, of which this has two.
      otherCpuShare: IDLE_LOAD + seen.load / seen.wallMs / PROCESSORS,
      ...spinFigures(this.#spins),
    }
    const counted = this.#device.surroundings.tellsHeat && seen.hot ? 1 : 0
    const quality = { samples: SAMPLES, accuracy: 0.9, agreement: 1, sqnrDb: 60, notFinite: 0 }
    const grounds = {
      threads: 1,
      latency,
      quality,
      before: CALM,
      after: { ...CALM, throttleCount: counted },
    }
    return {
      probeVersion: 1,
      threads: 1,
      loadMs: LOAD_MS,
      firstMs: latency.p50Ms,
      latency,
      ratioToBaseline: ratio,
      peakMemoryBytes: 60e6,
      quality,
      evidence,
      ...judge({ ...grounds, evidence }),
    }
  }
}

interface Measured {
  readonly latency: LatencyRecord
  readonly ratio: LatencyRatio | null
}

/** As `awaitQuiet` of the agent looks: half a second at a time. */
function quietFrom({ surroundings }: ModelledDevice, at: number, quietMs: number): number {
  for (let waited = 0; waited < quietMs; waited += LOOK_MS)
    if (IDLE_LOAD + surroundings.loadAt(at + waited) / 2 <= 0.1) return at + waited
  return at + quietMs
}

/** @param duelMs as the conductor's setting has it */
export function budgetFor(
  { match, decides, variant, rival, others = [] }: MatchOrder,
  duelMs: number,
): LatencyBudget {
  const isAmong = [variant, ...others.map((one) => one.variant)].includes(rival ?? '')
  const sides = 1 + others.length + Number(rival !== null && !isAmong)
  const measureMs = measureMsOf(match, duelMs, sides)
  const budget = others.length > 0 ? budgetOfField(measureMs, sides) : budgetOf(measureMs)
  return { ...budget, ...(decides && { decides }) }
}

const CALM: ProbeEnvironment = {
  governor: 'performance',
  frequencyKhz: 1_500_000,
  maxFrequencyKhz: 1_500_000,
  hottestCelsius: 50,
  cooling: 0,
  throttleCount: 0,
  piFlags: [],
  load1: 0,
  availableBytes: 1e9,
  cpuTicks: null,
  cpuPressure: 0,
  memoryPressure: 0,
}
