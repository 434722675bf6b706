import { meanOf } from '../../shared/statistics/index.ts'

/** What one device of a class takes for one variant. */
export interface Speed {
  readonly device: string
  readonly p50Ms: number
  /** What is known of the device, by name: governor, kernel, RAM… */
  readonly facts: ReadonlyMap<string, string>
}

/** Devices of one class that run at two speeds. */
export interface TwoSpeeds {
  readonly fast: readonly Speed[]
  readonly slow: readonly Speed[]
  /** Of the middles, slow over fast. */
  readonly ratio: number
  /** Ashman's D: the distance of the means in units of the spreads. */
  readonly separation: number
}

/** A fact that all of one side share, and none of the other. */
export interface TellingFact {
  readonly fact: string
  readonly fast: string
  readonly slow: string
}

/** Devices on each side: fewer are outliers, which `liars.ts` sees to. */
const LEAST = 3
/** Less than this makes no other choice. */
const LEAST_RATIO = 1.2
/**
 * Above 2 two normal distributions are cleanly apart (Ashman, Bird & Zepf 1994, AJ 108:2348). The split is chosen to be the
 * best one, which gives 2.7 for one normal distribution cut in half and 3.5 for a uniform one: 4 is neither.
 */
const LEAST_SEPARATION = 4
/** Devices differ in what they measure by so much anyway, as a share: spreads below it are luck. */
const NOISE_FLOOR = 0.015
/** Of the gap between the two over the widest within either: few devices of one speed may fall into two clumps by chance. */
const LEAST_GAPS = 3

/** The best division of a class into a fast and a slow part; undefined where there are not clearly two. */
export function twoSpeeds(speeds: readonly Speed[]): TwoSpeeds | undefined {
  const sorted = [...speeds].sort((a, b) => a.p50Ms - b.p50Ms)
  const cut = bestCut(logsOf(sorted))
  if (cut === undefined) return undefined
  const [fast, slow] = [sorted.slice(0, cut), sorted.slice(cut)]
  const [a, b] = [logsOf(fast), logsOf(slow)]
  const apart = meanOf(b) - meanOf(a)
  const spread = Math.hypot(spreadOf(a), spreadOf(b))
  const two = { fast, slow, ratio: Math.exp(apart), separation: (apart * Math.SQRT2) / spread }
  return isClear(two) ? two : undefined
}

/** Otsu 1979: the cut with the most variance between the two; of ordered values, with enough on each side. */
function bestCut(values: readonly number[]): number | undefined {
  const total = values.reduce((sum, value) => sum + value, 0)
  let below = 0
  let best: number | undefined
  let bestScore = 0
  for (const [i, value] of values.entries()) {
    below += value
    const [few, many] = [i + 1, values.length - i - 1]
    if (few < LEAST || many < LEAST) continue
    const score = few * many * ((total - below) / many - below / few) ** 2
    if (score <= bestScore) continue
    bestScore = score
    best = few
  }
  return best
}

function isClear({ fast, slow, ratio, separation }: TwoSpeeds): boolean {
  const [a, b] = [logsOf(fast), logsOf(slow)]
  const between = (b[0] ?? 0) - (a.at(-1) ?? 0)
  const within = Math.max(NOISE_FLOOR, ...gapsOf(a), ...gapsOf(b))
  return ratio >= LEAST_RATIO && separation >= LEAST_SEPARATION && between >= LEAST_GAPS * within
}

function gapsOf(ordered: readonly number[]): number[] {
  return ordered.slice(1).map((value, i) => value - (ordered[i] ?? 0))
}

/** What tells the two apart, in the order in which facts are given; undefined where nothing known does. */
export function tellingFact({ fast, slow }: TwoSpeeds): TellingFact | undefined {
  for (const fact of fast[0]?.facts.keys() ?? []) {
    const [ours, theirs] = [fast, slow].map((side) => sharedValue(side, fact))
    if (ours !== undefined && theirs !== undefined && ours !== theirs)
      return { fact, fast: ours, slow: theirs }
  }
  return undefined
}

function sharedValue(side: readonly Speed[], fact: string): string | undefined {
  const values = new Set(side.map(({ facts }) => facts.get(fact)))
  const [value] = values
  return values.size === 1 ? value : undefined
}

function logsOf(speeds: readonly Speed[]): number[] {
  return speeds.map(({ p50Ms }) => Math.log(p50Ms))
}

function spreadOf(values: readonly number[]): number {
  const mean = meanOf(values)
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.max(NOISE_FLOOR, Math.sqrt(squares / Math.max(1, values.length - 1)))
}
