import { NOISE } from '../../../shared/measure/index.ts'
import { BASE_SCHEMES, hasSuffix, parseScheme, printScheme } from '../../../shared/schemes.ts'
import { formatRatio } from '../../../shared/units.ts'
import { type ClassSummary, dropOnHost, summarise } from '../../probing/index.ts'
import { comparisons, leaderOf, points, type SelectionInput } from '../../selection/index.ts'
import type { Probe } from '../../storage/index.ts'
import { type TargetName, targetOf } from '../../targets/index.ts'
import type { Tuning } from '../../variants/index.ts'
import { recordsOf } from '../devices/records.ts'
import type { CandidateView } from './candidate-view.ts'

/** A candidate more: the same scheme with some operators in float. */
export interface MixedCandidate {
  readonly scheme: string
  readonly runtime: TargetName
  readonly tuning: Tuning
  readonly reason: string
}

/** Integer candidates that lose more than allowed on this host get a mixed-precision candidate that holds the budget. */
export function mixedForAccuracy(
  candidates: readonly CandidateView[],
  maxAccuracyDrop: number,
): readonly MixedCandidate[] {
  return unmixed(candidates).flatMap((candidate) => {
    const { plan, evaluation } = candidate
    const drop = evaluation ? dropOnHost(evaluation.whole) : null
    if (drop === null || drop <= maxAccuracyDrop) return []
    const reason = `${plan.scheme} loses ${points(drop)} on this host, budget ${points(maxAccuracyDrop)}: operators that cost most go back to float until it holds`
    return mixedCandidate(candidate, { maxDrop: maxAccuracyDrop }, reason)
  })
}

/** Of integers of 8 bits a vector holds four times as many as of floats: no mixture computes faster than that. */
const MOST_FASTER = 4

/**
 * Integer candidates that devices measured to be no faster than float32 in the same runtime get a mixed-precision candidate
 * without what is known to be slower on integers, where such knowledge of the runtime's kernels exists, and it could be faster
 * than what leads.
 * @param input what is known of the candidates that were measured
 */
export function mixedForLatency(
  candidates: readonly CandidateView[],
  probes: readonly Probe[],
  acceptNoise: boolean,
  input: SelectionInput,
): readonly MixedCandidate[] {
  const leader = input.candidates.find(({ key }) => key === leaderOf(input))
  const summaryOf = ({ variant }: CandidateView, yardstick: string | null) =>
    variant && summarise(recordsOf(variant.key, probes), { yardstick, acceptNoise })
  return unmixed(candidates).flatMap((candidate) => {
    const { plan } = candidate
    const float = candidates.find(
      ({ plan: { scheme, runtime } }) => scheme === 'float32' && runtime === plan.runtime,
    )
    const yardstick = float?.variant?.key ?? null
    const ratio = ratioBetween(
      summaryOf(candidate, yardstick),
      float && summaryOf(float, yardstick),
    )
    if (targetOf(plan.runtime).knownCosts === null || ratio === null || ratio < 1 - NOISE) return []
    const row = input.candidates.find(({ key }) => key === yardstick)
    const behind = row && leader ? comparisons(input.duels ?? [])(row, leader).ci95[0] : 1
    if (behind > MOST_FASTER) return []
    const reason = `${plan.scheme} takes ${formatRatio(ratio)} the latency of float32 on ${plan.runtime} there: operators that are slow on integers go back to float`
    return mixedCandidate(candidate, { spare: 'slow' }, reason)
  })
}

/** Measured in turns with it; where both fit no device, by their times. */
function ratioBetween(
  ours: ClassSummary | undefined,
  float: ClassSummary | undefined,
): number | null {
  if (!ours || !float) return null
  const { ratio, p50Ms } = ours.latency
  return ratio ? ratio.p50 : p50Ms / float.latency.p50Ms
}

/** Built candidates of integers throughout that have no mixed-precision candidate yet. */
function unmixed(candidates: readonly CandidateView[]): readonly CandidateView[] {
  return candidates.filter(({ plan, variant }) => {
    const scheme = parseScheme(plan.scheme)
    if (!plan.kept || variant?.state !== 'built') return false
    if (BASE_SCHEMES[scheme.base].activations !== 'int8' || hasSuffix(scheme, 'mixed')) return false
    const mixed = mixedName(plan.scheme)
    const { runtime } = plan
    return !candidates.some(
      (other) => other.plan.kept && other.plan.scheme === mixed && other.plan.runtime === runtime,
    )
  })
}

function mixedCandidate(
  { plan: { scheme, runtime }, variant }: CandidateView,
  islands: Tuning,
  reason: string,
): MixedCandidate {
  const release = variant?.tuning?.release
  const tuning = release === undefined ? islands : { ...islands, release }
  return { scheme: mixedName(scheme), runtime, tuning, reason }
}

function mixedName(name: string): string {
  const scheme = parseScheme(name)
  return printScheme({ ...scheme, suffixes: [...scheme.suffixes, 'mixed'] })
}
