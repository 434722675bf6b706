import type { ProbeRecord } from '../../shared/measure/index.ts'
import { pooledRatio, type RatioEstimate } from '../../shared/statistics/index.ts'
import { formatMs, formatRatio } from '../../shared/units.ts'
import { GAIN, type Measured } from '../selection/index.ts'
import { isUsable } from './attempts.ts'

/** `disturbed`: nothing can be said. */
export type RecheckVerdict = 'as-chosen' | 'faster' | 'slower' | 'disturbed'

export interface RecheckResult {
  readonly verdict: RecheckVerdict
  /** What the device measured over what its class was chosen for; null where it was disturbed. */
  readonly change: RatioEstimate | null
  /** One sentence, without the device's name. */
  readonly text: string
}

/** Devices of a class differ so much in their times, as a share, where float32 was not beside them. */
const TIMES_DIFFER = 0.15
/** And so much in the ratio to float32. */
const RATIOS_DIFFER = 0.02

/** Whether a device runs what it was given as well as its class was seen to, by its own short measurement. */
export function judgeRecheck(
  chosen: Pick<Measured, 'latency'>,
  record: ProbeRecord,
  acceptNoise: boolean,
): RecheckResult {
  if (!isUsable({ record }, acceptNoise)) {
    const why = record.flags.length > 0 ? `: ${record.flags.join(', ')}` : ''
    return {
      verdict: 'disturbed',
      change: null,
      text: `was disturbed (${record.verdict}${why}): nothing is said of the choice`,
    }
  }
  const [own, theirs] = [record.ratioToBaseline, chosen.latency.ratio]
  const beside = own !== null && theirs !== null
  const ours = beside ? own : inMs(record.latency.p50Ms, record.latency.p50Ci95)
  const known = beside ? theirs : inMs(chosen.latency.p50Ms, chosen.latency.ci95)
  const change = quotient(ours, known, beside ? RATIOS_DIFFER : TIMES_DIFFER)
  const print = beside
    ? ({ p50 }: RatioEstimate) => `${formatRatio(p50)} float32's latency`
    : ({ p50 }: RatioEstimate) => formatMs(p50)
  const verdict =
    change.ci95[0] >= 1 / GAIN ? 'slower' : change.ci95[1] <= GAIN ? 'faster' : 'as-chosen'
  return {
    verdict,
    change,
    text: `measures ${print(ours)}, chosen for ${print(known)}: ${WORDS[verdict]}`,
  }
}

const WORDS: Readonly<Record<Exclude<RecheckVerdict, 'disturbed'>, string>> = {
  'as-chosen': 'as chosen',
  faster: 'faster than it was chosen for',
  slower: 'slower than it was chosen for; fitment plan MODEL --again measures the class anew',
}

function inMs(p50: number, ci95: readonly [number, number]): RatioEstimate {
  return { p50, ci95 }
}

function quotient(a: RatioEstimate, b: RatioEstimate, error: number): RatioEstimate {
  const half = Math.hypot(halfWidth(a), halfWidth(b))
  const p50 = a.p50 / b.p50
  return pooledRatio([{ p50, ci95: [p50 * Math.exp(-half), p50 * Math.exp(half)] }], error)
}

function halfWidth({ ci95: [low, high] }: RatioEstimate): number {
  return Math.log(high / low) / 2
}
