import { leastSquares, meanOf, medianOf, sorted } from '../../shared/statistics/index.ts'

/** A candidate as far as it is known before anything is measured of it. */
export interface CostFacts {
  /** Scheme without its suffixes. */
  readonly scheme: string
  readonly target: string
  /** Multiply-accumulates of the model, and its operators. */
  readonly macs: number
  readonly operators: number
  /** Of the file, or what it takes at least. */
  readonly bytes: number
  /** What the processor computes best, in a word: its instruction set decides how schemes compare. */
  readonly isa: string
}

/** One candidate that a class of devices measured. */
export interface KnownCost extends CostFacts {
  /** Of one model in one class: only within it are times compared. */
  readonly group: string
  readonly ms: number
}

/** The latency of one candidate over that of another, before it was measured. */
export interface Forecast {
  readonly ratio: number
  /** In no plan held out was such a pair further off than this; 0 and ∞ where they were too few. */
  readonly low: number
  readonly high: number
}

export interface CostModel {
  /** Groups that it was made from. */
  readonly groups: number
  /** How far off it was on groups that it had not seen: the middle one, as a factor; null: nothing to say. */
  readonly error: number | null
  /** Undefined where nothing like it was measured. */
  forecast(candidate: CostFacts, beside: CostFacts): Forecast | undefined
}

/**
 * Groups held out that bound the next: the worst of so many is exceeded once in so many and one. Pairs of one group are no
 * such number: a runtime that is slow there is so in all of them. Nothing less than the worst bounds, however many they are:
 * what was left out by mistake was not measured and is missing among them.
 */
const LEAST_HELD_OUT = 20
/** Groups left out at a time are this many, at most: each costs a fit. */
const MOST_FOLDS = 10
/** Pulls what is seldom seen towards no difference. */
const RIDGE = 0.5

/**
 * Learns from what was measured of other models how schemes and targets compare. Times are compared within one model on
 * one class only, so that neither the model's size nor the device's speed is in it: what is learnt is by how much a scheme
 * on a target is faster, how that changes with the work of an operator and the size of the file, and with the instruction
 * set. Its error is measured on whole groups that a fit did not see, for each pair of schemes on their targets and each
 * instruction set by itself, and bounds what it says of the next one, as in conformal prediction (Vovk, Gammerman & Shafer
 * 2005): what other runtimes and other processors are off by says nothing of these. What it cannot bound so it does not bound.
 */
export function fitCosts(known: readonly KnownCost[]): CostModel {
  const groups = [...new Set(known.map(({ group }) => group))]
  const weights = fit(known)
  const missed = [...heldOut(known, groups)]
  const bounds = boundsOf(missed)
  const seen = new Set(known.map(kindOf))
  return {
    groups: groups.length,
    error:
      missed.length === 0 ? null : Math.exp(medianOf(sorted(missed.map(({ error }) => error)))),
    forecast(candidate, beside) {
      if (!seen.has(kindOf(candidate)) || !seen.has(kindOf(beside))) return undefined
      const log = logMsOf(candidate, weights) - logMsOf(beside, weights)
      const off = bounds.get(pairOf(candidate, beside)) ?? Number.POSITIVE_INFINITY
      return { ratio: Math.exp(log), low: Math.exp(log - off), high: Math.exp(log + off) }
    },
  }
}

interface HeldOut {
  readonly one: KnownCost
  readonly other: KnownCost
  /** How far off the forecast of this pair was, in logarithms. */
  readonly error: number
}

/** How far off the next forecast of a pair is at most. */
function boundsOf(missed: readonly HeldOut[]): ReadonlyMap<string, number> {
  const byPair = new Map<string, Map<string, number>>()
  for (const { one, other, error } of missed) {
    const pair = pairOf(one, other)
    const worst = byPair.get(pair) ?? new Map<string, number>()
    byPair.set(pair, worst.set(one.group, Math.max(error, worst.get(one.group) ?? 0)))
  }
  const enough = [...byPair].filter(([, worst]) => worst.size >= LEAST_HELD_OUT)
  return new Map(enough.map(([pair, worst]) => [pair, Math.max(...worst.values())]))
}

/** Both of one class, so of one instruction set. */
function pairOf(one: CostFacts, other: CostFacts): string {
  return [...[kindOf(one), kindOf(other)].sort(), one.isa].join(', ')
}

/** Every pair of each group, forecast without that group. */
function* heldOut(known: readonly KnownCost[], groups: readonly string[]): Generator<HeldOut> {
  const folds = Math.min(MOST_FOLDS, groups.length)
  if (folds < 2) return
  for (let fold = 0; fold < folds; fold++) {
    const left = new Set(groups.filter((_, i) => i % folds === fold))
    const weights = fit(known.filter(({ group }) => !left.has(group)))
    for (const group of left) {
      const own = known.filter((one) => one.group === group)
      for (const [i, one] of own.entries())
        for (const other of own.slice(i + 1)) {
          const said = logMsOf(one, weights) - logMsOf(other, weights)
          yield { one, other, error: Math.abs(said - Math.log(one.ms / other.ms)) }
        }
    }
  }
}

type Weights = ReadonlyMap<string, number>

function fit(known: readonly KnownCost[]): Weights {
  const names = [...new Set(known.flatMap((one) => [...featuresOf(one).keys()]))]
  const rows: number[][] = []
  const values: number[] = []
  for (const group of new Set(known.map((one) => one.group))) {
    const own = known.filter((one) => one.group === group)
    const features = own.map((one) => {
      const found = featuresOf(one)
      return names.map((name) => found.get(name) ?? 0)
    })
    const means = names.map((_, i) => meanOf(features.map((row) => row[i] ?? 0)))
    const middleLog = meanOf(own.map(({ ms }) => Math.log(ms)))
    for (const [i, row] of features.entries()) {
      rows.push(row.map((value, j) => value - (means[j] ?? 0)))
      values.push(Math.log(own[i]?.ms ?? 1) - middleLog)
    }
  }
  const solved = leastSquares(rows, values, RIDGE)
  return new Map(names.map((name, i) => [name, solved[i] ?? 0]))
}

/** What is compared: the scheme on the target, and how work, size and instruction set shift it. */
function featuresOf(one: CostFacts): ReadonlyMap<string, number> {
  const kind = kindOf(one)
  return new Map([
    [kind, 1],
    [`${kind} work`, Math.log10(1 + one.macs / Math.max(1, one.operators)) / 4],
    [`${kind} isa ${one.isa}`, 1],
    ['bytes', Math.log10(1 + one.bytes) / 4],
  ])
}

function logMsOf(one: CostFacts, weights: Weights): number {
  let sum = 0
  for (const [name, value] of featuresOf(one)) sum += value * (weights.get(name) ?? 0)
  return sum
}

function kindOf({ scheme, target }: CostFacts): string {
  return `${scheme} on ${target}`
}
