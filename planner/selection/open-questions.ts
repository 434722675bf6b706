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
  const asksFor = (variant: Measured) => {
    const found = compare(variant, leader)
    if (variant.key === incumbent) return found.basis !== 'in-turns' || isOpen(found, true)
    return isOpen(found, wouldWinTie(variant, leader))
  }
  return ahead
    .filter((variant) => variant !== leader && asksFor(variant))
    .sort((a, b) => compare(a, leader).p50 - compare(b, leader).p50 || a.key.localeCompare(b.key))
    .map(({ key }) => ({ key, rival: leader.key }))
}

/** A tie goes to the smaller file. */
function wouldWinTie(variant: Measured, leader: Measured): boolean {
  return variant.bytes < leader.bytes && !near(variant.bytes, leader.bytes)
}

/**
 * Whether another look could change who wins. A larger challenger must be faster by what matters; one that wins ties
 * must only not be slower by as much. Who may still win is compared in turns, whatever else was found.
 */
function isOpen({ basis, ci95: [low, high] }: Comparison, winsTies: boolean): boolean {
  const beats = winsTies ? 1 / GAIN : GAIN
  if (low >= beats) return false
  return basis !== 'in-turns' || high > beats
}
