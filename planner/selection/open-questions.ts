import { behindFloat } from './behind-float.ts'
import { type Comparison, comparisons } from './comparison.ts'
import { brokenConstraints } from './constraints.ts'
import type { SelectionInput } from './input.ts'
import type { Measured } from './measured.ts'
import { fastest, GAIN, near } from './objective.ts'

/** Two candidates whose comparison could change the choice, and is not sure enough yet: measure them in turns. */
export interface Question {
  readonly key: string
  readonly rival: string
  /** What the ratio of the two latencies must be below for the answer to change anything. */
  readonly beats: number
}

/**
 * What is not known well enough to choose. Only candidates that meet the constraints matter, and only where latency is
 * the objective: sizes and memory need no second look. A question ends when its answer is certain, not when its number
 * is: who is clearly behind is not measured again. The variant in use is compared in turns in any case, for people.
 */
export function openQuestions(input: SelectionInput): readonly Question[] {
  const { constraints, room, candidates, objective, incumbent } = input
  if (objective !== 'latency') return []
  const admissible = candidates.filter(
    (variant) => brokenConstraints(variant, constraints, room).length === 0,
  )
  if (admissible.length === 0) return []
  const compare = comparisons(input.duels ?? [], input.probers)
  const behind = behindFloat(admissible, compare)
  const ahead = admissible.filter((variant) => !behind.has(variant))
  const leader = fastest(ahead, compare)
  const beatsFor = (variant: Measured) =>
    variant.key === incumbent ? 1 / GAIN : toWin(variant, leader)
  const asksFor = (variant: Measured) => {
    const found = compare(variant, leader)
    if (variant.key === incumbent && found.basis !== 'in-turns') return true
    return isOpen(found, beatsFor(variant))
  }
  return ahead
    .filter((variant) => variant !== leader && asksFor(variant))
    .sort((a, b) => compare(a, leader).p50 - compare(b, leader).p50 || a.key.localeCompare(b.key))
    .map((variant) => ({ key: variant.key, rival: leader.key, beats: beatsFor(variant) }))
}

/** Key of the fastest that may ship, as far as one can tell; undefined where nothing may, or latency is not the objective. */
export function leaderOf(input: SelectionInput): string | undefined {
  const { constraints, room, candidates, objective } = input
  if (objective !== 'latency') return undefined
  const admissible = candidates.filter(
    (variant) => brokenConstraints(variant, constraints, room).length === 0,
  )
  if (admissible.length === 0) return undefined
  const compare = comparisons(input.duels ?? [], input.probers)
  const behind = behindFloat(admissible, compare)
  return fastest(
    admissible.filter((variant) => !behind.has(variant)),
    compare,
  ).key
}

/**
 * What the latency of a challenger over the leader's may be at most for it to win. A smaller file wins ties: it must only
 * not be slower by what matters. A larger one must be faster by as much. Of equal ones the faster wins, by however little.
 */
function toWin(variant: Measured, leader: Measured): number {
  if (near(variant.bytes, leader.bytes)) return 1
  return variant.bytes < leader.bytes ? 1 / GAIN : GAIN
}

/** Whether another look could change who wins. Who may still win is compared in turns, whatever else was found. */
function isOpen({ basis, ci95: [low, high] }: Comparison, beats: number): boolean {
  if (low >= beats) return false
  return basis !== 'in-turns' || high > beats
}
