import {
  isTrend,
  PROBE_VERDICTS,
  type ProbeEnvironment,
  type ProbeEvidence,
  type ProbeRecord,
  type ProbeVerdict as Verdict,
} from '../../shared/measure/index.ts'

/** All that a verdict may rest on. */
export interface Grounds {
  readonly threads: number
  readonly latency: ProbeRecord['latency']
  readonly quality: ProbeRecord['quality']
  readonly before: ProbeEnvironment
  readonly after: ProbeEnvironment
  readonly evidence: ProbeEvidence
}

export type MachineShares = Pick<ProbeEvidence, 'stealShare' | 'otherCpuShare'>

interface Rule {
  readonly flag: string
  readonly verdict: Verdict
  readonly applies: (grounds: Grounds) => boolean
}

/** Fewer runs say nothing about a median. */
const LEAST_RUNS = 5
/** Fewer scatter by themselves: a wide interval then says that the model is slow, not that anything was disturbed. */
const RUNS_FOR_SCATTER = 30

const isStolen = ({ stealShare }: MachineShares) => (stealShare ?? 0) > 0.01
const isBusy = ({ otherCpuShare }: MachineShares) => (otherCpuShare ?? 0) > 0.1

/** Others are at work on this machine. */
export function isContended(shares: MachineShares): boolean {
  return isStolen(shares) || isBusy(shares)
}

/** Every rule that applies leaves its flag; the worst verdict counts. */
export const RULES: readonly Rule[] = [
  rule('few-runs', 'invalid', ({ latency }) => latency.n < LEAST_RUNS),
  rule('output-not-finite', 'invalid', ({ quality }) => (quality.notFinite ?? 0) > 0),

  rule('throttle-count', 'throttled', ({ before, after }) => grew(before, after, 'throttleCount')),
  rule('cooling', 'throttled', ({ after }) => (after.cooling ?? 0) > 0),
  rule('frequency-limit-fell', 'throttled', ({ before, after }) =>
    isLess(after.frequencyLimitKhz, before.frequencyLimitKhz),
  ),
  rule('pi-throttled', 'throttled', ({ after }) => after.piFlags.length > 0),
  // Nobody else was at work, so the device itself became slower.
  rule(
    'slowing-down',
    'throttled',
    (grounds) => drift(grounds) > 0.05 && !isContended(grounds.evidence),
  ),

  rule('drift', 'noisy', (grounds) => Math.abs(drift(grounds)) > 0.05),
  rule('two-speeds', 'noisy', ({ latency }) => (latency.peakDistance ?? 1) > 1.15),
  // What ended as soon as the decision was certain never came to a narrow one.
  rule(
    'wide-interval',
    'noisy',
    ({ latency }) =>
      scatters(latency) && latency.stopped !== 'decided' && halfWidth(latency) > 0.05,
  ),
  rule('spin-spread', 'noisy', ({ evidence }) => evidence.spinSpread > 0.05),
  rule('spin-drift', 'noisy', ({ evidence }) => Math.abs(evidence.spinDrift - 1) > 0.05),
  rule('clock-jump', 'noisy', ({ latency }) => (latency.clockJumps ?? 0) > 0),

  rule('stolen', 'contended', ({ evidence }) => isStolen(evidence)),
  rule('busy-machine', 'contended', ({ evidence }) => isBusy(evidence)),
  // Threads of one model wait for each other, so only a single one must never wait.
  rule(
    'preempted',
    'contended',
    ({ threads, evidence }) => threads === 1 && evidence.cpuShare < 0.9,
  ),
  rule('cpu-quota', 'contended', ({ before, after }) => grew(before, after, 'quotaStops')),
  rule('major-faults', 'noisy', ({ evidence }) => evidence.majorFaults > 0),
  rule('memory-pressure', 'noisy', ({ after }) => (after.memoryPressure ?? 0) > 1),

  // Worth knowing, no reason to doubt: production runs under the same governor.
  rule('governor-powersave', 'ok', ({ before }) => before.governor === 'powersave'),
  rule('frequency-capped', 'ok', ({ before }) =>
    isLess(before.frequencyLimitKhz, before.maxFrequencyKhz),
  ),
]

export function judge(grounds: Grounds): { verdict: Verdict; flags: string[] } {
  const found = RULES.filter((one) => one.applies(grounds))
  const worst = Math.max(0, ...found.map((one) => PROBE_VERDICTS.indexOf(one.verdict)))
  return { verdict: PROBE_VERDICTS[worst] ?? 'ok', flags: found.map((one) => one.flag) }
}

function rule(flag: string, verdict: Verdict, applies: Rule['applies']): Rule {
  return { flag, verdict, applies }
}

function grew(
  before: ProbeEnvironment,
  after: ProbeEnvironment,
  field: 'throttleCount' | 'quotaStops',
): boolean {
  return (after[field] ?? 0) > (before[field] ?? 0)
}

/** A few blocks lean one way or the other by chance. */
function drift({ latency }: Grounds): number {
  const { blockMediansMs, trend = 0 } = latency
  const isShown = blockMediansMs === undefined || isTrend(blockMediansMs)
  return scatters(latency) && isShown ? trend : 0
}

function scatters({ n }: ProbeRecord['latency']): boolean {
  return n >= RUNS_FOR_SCATTER
}

function isLess(a: number | null | undefined, b: number | null | undefined): boolean {
  return a != null && b != null && a < b
}

function halfWidth({ p50Ms, p50Ci95: [low, high] }: ProbeRecord['latency']): number {
  return (high - low) / 2 / p50Ms
}
