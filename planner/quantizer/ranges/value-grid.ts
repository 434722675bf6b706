import type { Range } from '../../graph/index.ts'
import type { TensorStatistics } from '../observers/statistics.ts'
import { includeZero } from '../parameters/activation.ts'

/** Steps of 8-bit codes; finer codes have room for everything. */
const MOST_STEPS = 255

/** How far from a multiple of the step, in steps, a number of the grid may lie: rounding of float32. */
const ON_LATTICE = 1e-2

/**
 * The range whose codes are the very numbers that an activation holds: they are multiples of one step, as pixels of
 * 8 bits are, and codes suffice for them. Null where they are not. Any other range rounds them, and most alike.
 */
export function gridRange(
  { levels, min, max }: Pick<TensorStatistics, 'levels' | 'min' | 'max'>,
  steps: number,
): Range | null {
  if (levels === null || levels.size < 2 || steps > MOST_STEPS) return null
  const { min: low, max: high } = includeZero({ min, max })
  const step = stepOf([...levels.keys(), 0, low, high])
  if (step === null || (high - low) / step > steps + ON_LATTICE) return null
  // As fine as codes allow: numbers between those seen lose less.
  const code = step / Math.floor((steps + ON_LATTICE) / Math.round((high - low) / step))
  const spare = steps - Math.round((high - low) / code)
  // What ends at zero does so for a reason.
  const below = low === 0 ? 0 : high === 0 ? spare : Math.floor(spare / 2)
  const start = Math.round(low / code) - below
  return { min: start * code, max: (start + steps) * code }
}

/** Of which all numbers are multiples. */
function stepOf(numbers: readonly number[]): number | null {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b)
  const gaps = sorted.slice(1).map((value, i) => value - (sorted[i] as number))
  const gap = Math.min(...gaps)
  const span = (sorted.at(-1) as number) - (sorted[0] as number)
  // The span knows the step better than one gap does.
  const step = span / Math.round(span / gap)
  const fits = sorted.every((value) => {
    const position = value / step
    return Math.abs(position - Math.round(position)) < ON_LATTICE
  })
  return fits ? step : null
}
