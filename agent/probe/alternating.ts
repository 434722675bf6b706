import {
  leavesAll,
  PROBE_VERDICTS,
  type ProbeRecord,
  pairedRatio,
} from '../../shared/measure/index.ts'
import { ProbeError } from './errors.ts'
import { LATENCY_ALONE, type ProbeRequest } from './request.ts'

/** As many as a paired interval needs. */
const PAIRS = 6
/** Fewer pairs than this never decide. */
const PAIRS_TO_DECIDE = 3
const LEAST_MS = 100

/** One child process from its start to its end. */
type Measure = (request: ProbeRequest) => Promise<ProbeRecord>

/**
 * Two that do not live in one process are measured in processes that take turns, A B, B A, A B…: neighbours still meet
 * the same clock frequency and the same company. The variant's own record comes first, from a process of its own, and
 * keeps its answers and memory. Where the baseline cannot run at all, or time is up, the variant is measured alone.
 * @throws ProbeError where the variant itself fails
 */
export async function measureAlternating(
  request: ProbeRequest,
  measure: Measure,
): Promise<ProbeRecord> {
  const started = performance.now()
  const alone = { ...request, baseline: null }
  const own = await measure(alone)
  const records = await inTurns(alone, request.baseline, measure, started + request.timeoutMs)
  if (records.length < 2) return { ...own, flags: [...own.flags, 'no-room-for-baseline'] }
  const ratios = ratiosOf(records)
  const all = [own, ...records.flat()]
  return {
    ...own,
    ratioToBaseline: { ...pairedRatio(ratios), rounds: ratios.length },
    flags: [...new Set([...all.flatMap(({ flags }) => flags), 'alternating-processes'])],
    verdict: worstOf(all),
  }
}

async function inTurns(
  alone: ProbeRequest,
  baseline: ProbeRequest['baseline'],
  measure: Measure,
  deadlineMs: number,
): Promise<readonly (readonly [ProbeRecord, ProbeRecord])[]> {
  if (baseline === null) return []
  const measureMs = Math.max(LEAST_MS, alone.measureMs / PAIRS)
  const ours = { ...alone, ...LATENCY_ALONE, measureMs }
  const theirs = { ...ours, ...baseline, threads: baseline.threads ?? ours.threads }
  const pairs: (readonly [ProbeRecord, ProbeRecord])[] = []
  let longestMs = 0
  for (let turn = 0; turn < PAIRS; turn++) {
    const before = performance.now()
    if (before + longestMs > deadlineMs) break
    try {
      if (turn % 2 === 0) pairs.push([await measure(ours), await measure(theirs)])
      else {
        const other = await measure(theirs)
        pairs.push([await measure(ours), other])
      }
    } catch (error) {
      if (error instanceof ProbeError && error.code !== 'cancelled') break
      throw error
    }
    longestMs = Math.max(longestMs, performance.now() - before)
    if (isDecided(pairs, alone.decides)) break
  }
  return pairs
}

function isDecided(
  pairs: readonly (readonly [ProbeRecord, ProbeRecord])[],
  decides: ProbeRequest['decides'],
): boolean {
  if (decides === undefined || pairs.length < PAIRS_TO_DECIDE) return false
  return leavesAll(pairedRatio(ratiosOf(pairs)), decides)
}

function ratiosOf(pairs: readonly (readonly [ProbeRecord, ProbeRecord])[]): number[] {
  return pairs.map(([ours, theirs]) => ours.latency.p50Ms / theirs.latency.p50Ms)
}

function worstOf(records: readonly ProbeRecord[]): ProbeRecord['verdict'] {
  const words: readonly string[] = PROBE_VERDICTS
  const rank = ({ verdict }: ProbeRecord) => words.indexOf(verdict)
  return records.reduce((a, b) => (rank(b) > rank(a) ? b : a)).verdict
}
