import { spinFigures } from '../../../agent/probe/environment-monitor.ts'
import { judge } from '../../../agent/probe/verdict.ts'
import type { MatchOrder } from '../../../planner/probing/index.ts'
import {
  budgetOf,
  type LatencyBudget,
  measureBeside,
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
  const { surroundings, draws } = device
  const startedMs = quietFrom(device, at, quietMs)
  const busyWithAnswers = SAMPLES * (device.truth.get(variant) ?? 1)
  let now = startedMs + PROCESS_MS + LOAD_MS * (rival === null ? 1 : 2) + busyWithAnswers
  const seen = { load: 0, waitedMs: 0, wallMs: 0, hot: false }
  let measuring = false
  const runOf = (key: string) => () => {
    const workMs = (device.truth.get(key) ?? 1) * draws.factor(RUN_SPREAD)
    const outlier = draws.chance(0.005) ? 1 + draws.exponential(1) : 1
    const { wallMs, waitedMs } = surroundings.takes(
      workMs * outlier,
      now,
      device.sensitivity.get(key),
    )
    if (measuring) {
      seen.load += surroundings.loadAt(now) * wallMs
      seen.wallMs += wallMs
      seen.waitedMs += waitedMs
      seen.hot ||= surroundings.isHotAt(now)
    }
    now += wallMs
  }
  const spins: number[] = []
  const spin = () => {
    const { wallMs } = surroundings.takes(SPIN_MS * draws.factor(0.01), now)
    spins.push(wallMs)
    now += wallMs
  }
  const hooks = {
    clock: () => now,
    beforeBlocks: () => {
      measuring = true
      spin()
    },
    afterBlock: spin,
  }
  const measured =
    rival === null
      ? { latency: await measureLatency(runOf(variant), budget, hooks), ratio: null }
      : await measureBeside(runOf(variant), runOf(rival), budget, hooks)
  const evidence = {
    cpuShare: QUIET_CPU_SHARE * (1 - seen.waitedMs / seen.wallMs),
    involuntarySwitchesPerRun: 0,
    majorFaults: 0,
    stealShare: 0,
    // Others' share is of all processors, of which this has two.
    otherCpuShare: IDLE_LOAD + seen.load / seen.wallMs / 2,
    ...spinFigures(spins),
  }
  const counted = surroundings.tellsHeat && seen.hot ? 1 : 0
  const quality = { samples: SAMPLES, accuracy: 0.9, agreement: 1, sqnrDb: 60, notFinite: 0 }
  const { latency } = measured
  const grounds = {
    threads: 1,
    latency,
    quality,
    before: CALM,
    after: { ...CALM, throttleCount: counted },
  }
  const record: ProbeRecord = {
    probeVersion: 1,
    threads: 1,
    loadMs: LOAD_MS,
    firstMs: latency.p50Ms,
    latency,
    ratioToBaseline: measured.ratio,
    peakMemoryBytes: 60e6,
    quality,
    evidence,
    ...judge({ ...grounds, evidence }),
  }
  return { record, startedMs, endedMs: now }
}

/** As `awaitQuiet` of the agent looks: half a second at a time. */
function quietFrom({ surroundings }: ModelledDevice, at: number, quietMs: number): number {
  for (let waited = 0; waited < quietMs; waited += LOOK_MS)
    if (IDLE_LOAD + surroundings.loadAt(at + waited) / 2 <= 0.1) return at + waited
  return at + quietMs
}

/** @param duelMs as the conductor's setting has it; a heat takes a third */
export function budgetFor({ match, decides }: MatchOrder, duelMs: number): LatencyBudget {
  const budget = budgetOf(match === 'duel' ? duelMs : Math.round(duelMs / 3))
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
