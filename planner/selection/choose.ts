import { NOISE } from '../../shared/measure/index.ts'
import { metricName } from '../../shared/metrics/index.ts'
import { formatBytes, formatPercent, formatRatio } from '../../shared/units.ts'
import { behindFloat } from './behind-float.ts'
import { type Compare, type Comparison, comparisons } from './comparison.ts'
import { brokenConstraints, points } from './constraints.ts'
import type { SelectionInput } from './input.ts'
import type { Constraints, Measured } from './measured.ts'
import { fastest, near, type Objective, objectiveFor } from './objective.ts'
import { beside } from './other-runtimes.ts'
import { type Front, paretoFront } from './pareto.ts'

export interface SelectionRow {
  readonly key: string
  readonly verdict: 'chosen' | 'kept' | 'dropped'
  readonly reason: string
}

export interface Selection {
  readonly winner: string | null
  /** The least bad candidate when none meets the constraints: shown, never shipped. */
  readonly bestSoFar: string | null
  /** All that may ship, the winner first: a device too small for the winner takes the next that fits it. */
  readonly ranking: readonly string[]
  readonly rows: readonly SelectionRow[]
  /** One sentence. */
  readonly why: string
}

/** Pure: the same measurements always give the same choice. */
export function choose(input: SelectionInput): Selection {
  const judged = input.candidates.map((variant) => ({
    variant,
    broken: brokenConstraints(variant, input.constraints, input.room),
  }))
  const admissible = judged.filter(({ broken }) => broken.length === 0).map((j) => j.variant)
  if (admissible.length === 0) return nothingShips(judged)

  const compare = comparisons(input.duels ?? [], input.probers)
  const behind = input.objective === 'latency' ? behindFloat(admissible, compare) : new Map()
  const ahead = admissible.filter((variant) => !behind.has(variant))
  const leader = fastest(ahead, compare)
  const latency = objectiveFor('latency', { compare, leader })
  const objective = objectiveFor(input.objective, { compare, leader })
  const front = paretoFront(ahead, latency.value)
  const { winner, because } = pick(front.front, ahead, objective, compare, input.incumbent)
  const others = admissible
    .filter((variant) => variant !== winner)
    .sort((a, b) => objective.value(a) - objective.value(b) || order(a, b))
  return {
    winner: winner.key,
    bestSoFar: winner.key,
    ranking: [winner.key, ...others.map(({ key }) => key)],
    rows: judged.map(({ variant, broken }) => ({
      key: variant.key,
      ...verdictOn(variant, broken, { winner, because, objective, compare, front, behind }),
    })),
    why: `${name(winner)}: ${because}${qualityClause(winner, input.constraints)}${beside(winner, admissible, compare)}`,
  }
}

interface Picked {
  readonly winner: Measured
  readonly because: string
}

function pick(
  front: readonly Measured[],
  admissible: readonly Measured[],
  objective: Objective,
  compare: Compare,
  incumbentKey: string | null,
): Picked {
  const best = front.reduce((a, b) => (objective.value(b) < objective.value(a) ? b : a))
  const incumbent = admissible.find(({ key }) => key === incumbentKey)
  if (incumbent && incumbent !== best && !objective.better(best, incumbent)) {
    const because = `${objective.print(incumbent)}; in use already, and ${name(best)} with ${objective.print(best)} is not shown to be better${shownBy(objective, compare(best, incumbent))}`
    return { winner: incumbent, because }
  }
  const winner = smallestAsGood(front, best, objective)
  const inUse =
    incumbent && incumbent !== winner && objective.name === 'latency'
      ? `, ${printComparison(compare(winner, incumbent))} the latency of ${name(incumbent)} in use`
      : ''
  if (winner === best)
    return { winner, because: `best ${objective.name}, ${objective.print(best)}${inUse}` }
  const against = `${name(best)} (${objective.print(best)}${shownBy(objective, compare(winner, best))})`
  const because = `${objective.print(winner)}, ${tieOf(objective, compare(winner, best))} ${against}, and smaller${inUse}`
  return { winner, because }
}

/** What is shown, and does not matter, is no "no difference". */
function tieOf({ name }: Objective, { ci95: [low] }: Comparison): string {
  return name === 'latency' && low > 1
    ? `less than ${formatPercent(NOISE, 0)} slower than`
    : 'no difference shown against'
}

/** A tie goes to the smaller file; one that is smaller by a sliver gains nobody anything. */
function smallestAsGood(front: readonly Measured[], best: Measured, objective: Objective) {
  const asGood = front.filter(
    (variant) =>
      objective.asGood(variant, best) &&
      variant.bytes < best.bytes &&
      !near(variant.bytes, best.bytes),
  )
  return asGood.sort(order)[0] ?? best
}

function shownBy({ name }: Objective, comparison: Comparison): string {
  return name === 'latency' ? `, ${printComparison(comparison)}` : ''
}

/** `0.98× (0.95×–1.01×)`. */
function printComparison({ p50, ci95: [low, high] }: Comparison): string {
  return `${formatRatio(p50)} (${formatRatio(low)}–${formatRatio(high)})`
}

/** Smaller file, then less memory, then faster, then by name. */
function order(a: Measured, b: Measured): number {
  return (
    a.bytes - b.bytes ||
    a.memoryBytes - b.memoryBytes ||
    a.latency.p50Ms - b.latency.p50Ms ||
    name(a).localeCompare(name(b))
  )
}

interface Outcome extends Picked {
  readonly objective: Objective
  readonly compare: Compare
  readonly front: Front
  readonly behind: ReadonlyMap<Measured, string>
}

function verdictOn(
  variant: Measured,
  broken: readonly string[],
  { winner, because, objective, compare, front, behind }: Outcome,
): Pick<SelectionRow, 'verdict' | 'reason'> {
  if (broken.length > 0) return { verdict: 'dropped', reason: broken.join('; ') }
  if (variant === winner) return { verdict: 'chosen', reason: because }
  const slow = behind.get(variant)
  if (slow !== undefined) return { verdict: 'dropped', reason: slow }
  const beaten = front.dominated.find((entry) => entry.variant === variant)
  if (beaten) {
    return {
      verdict: 'dropped',
      reason: `${beaten.worse.join(', ')} than ${name(beaten.by)}, and better in nothing`,
    }
  }
  const reason = `meets the constraints; ${objective.print(variant)} against ${objective.print(winner)}${shownBy(objective, compare(variant, winner))}`
  return { verdict: 'kept', reason }
}

interface Judged {
  readonly variant: Measured
  readonly broken: readonly string[]
}

function nothingShips(judged: readonly Judged[]): Selection {
  const rows = judged.map(({ variant, broken }) => ({
    key: variant.key,
    verdict: 'dropped' as const,
    reason: broken.join('; '),
  }))
  const closest = [...judged].sort(
    (a, b) =>
      a.broken.length - b.broken.length ||
      lost(a.variant) - lost(b.variant) ||
      order(a.variant, b.variant),
  )[0]
  if (!closest) {
    return {
      winner: null,
      bestSoFar: null,
      ranking: [],
      rows,
      why: 'no variant was measured: nothing ships',
    }
  }
  const why = `no variant meets the constraints, nothing ships; the nearest is ${name(closest.variant)}: ${closest.broken.join('; ')}`
  return { winner: null, bestSoFar: closest.variant.key, ranking: [], rows, why }
}

function lost(variant: Measured): number {
  return variant.quality.drop ?? 0
}

function qualityClause({ quality, bytes }: Measured, { maxAccuracyDrop }: Constraints): string {
  const size = `, ${formatBytes(bytes)}`
  if (quality.drop === null) return size
  const budget = `budget ${points(maxAccuracyDrop)}`
  if (quality.basis === 'agreement')
    return `${size}, disagrees with float32 by ${points(quality.drop)} (${budget}, no labels)`
  const what = quality.metric === undefined ? 'accuracy' : metricName(quality.metric)
  return quality.drop <= 0
    ? `${size}, no ${what} lost`
    : `${size}, loses ${points(quality.drop)} of ${what} (${budget})`
}

export function name(variant: Pick<Measured, 'scheme' | 'runtime'>): string {
  return `${variant.scheme} on ${variant.runtime}`
}
