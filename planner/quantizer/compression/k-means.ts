/** Numbers in [-1, 1], counted in bins fine enough that an 8-bit step holds several. */
export const BINS = 4096

export interface Counted {
  /** What the numbers in each bin weigh together. */
  readonly mass: Float64Array
  /** Σ mass × number. */
  readonly moment: Float64Array
}

const ITERATIONS = 100

/**
 * Centres in ascending order that Lloyd's algorithm finds in one dimension, at most `count`. Pinned ones are among
 * them and stay where they are. Starts from three spreads and keeps the best: the same numbers give the same centres.
 */
export function kMeans(numbers: Counted, count: number, pinned: readonly number[]): number[] {
  const sums = new PrefixSums(numbers)
  const free = Math.max(0, count - pinned.length)
  let best: { centres: number[]; error: number } | undefined
  for (const power of STARTS) {
    const centres = settle(sums, pinned, spread(numbers, free, power))
    const error = sums.errorOf(centres)
    if (best === undefined || error < best.error) best = { centres, error }
  }
  return best?.centres ?? [...pinned]
}

/**
 * Centres spread by density^power: even, by Panter and Dite's law (1951) for the least squared error of many
 * centres, and one to every equal share of the mass.
 */
const STARTS = [0, 1 / 3, 1]

function spread({ mass }: Counted, count: number, power: number): number[] {
  const density = mass.map((one) => (one > 0 ? one ** power : 0))
  const total = density.reduce((sum, one) => sum + one, 0)
  if (total === 0) return []
  const centres: number[] = []
  let passed = 0
  density.forEach((one, bin) => {
    passed += one
    while (centres.length < count && passed >= ((centres.length + 0.5) / count) * total) {
      centres.push(middleOf(bin))
    }
  })
  return centres
}

function settle(sums: PrefixSums, pinned: readonly number[], start: readonly number[]): number[] {
  const fixed = new Set(pinned)
  let centres = ascending([...pinned, ...start])
  for (let round = 0; round < ITERATIONS; round += 1) {
    const bounds = sums.boundsOf(centres)
    const next = ascending(
      centres.map((centre, i) =>
        fixed.has(centre) ? centre : (sums.mean(bounds[i] ?? 0, bounds[i + 1] ?? 0) ?? centre),
      ),
    )
    if (next.length === centres.length && next.every((centre, i) => centre === centres[i])) break
    centres = next
  }
  return centres
}

function ascending(centres: readonly number[]): number[] {
  return [...new Set(centres)].sort((a, b) => a - b)
}

function middleOf(bin: number): number {
  return ((bin + 0.5) * 2) / BINS - 1
}

/** Bin of a number in [-1, 1]. */
export function binOf(value: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.floor(((value + 1) * BINS) / 2)))
}

/** Sums over any run of bins in constant time. */
class PrefixSums {
  readonly #mass = new Float64Array(BINS + 1)
  readonly #moment = new Float64Array(BINS + 1)
  readonly #square = new Float64Array(BINS + 1)

  constructor({ mass, moment }: Counted) {
    for (let bin = 0; bin < BINS; bin += 1) {
      const [m, s] = [mass[bin] as number, moment[bin] as number]
      this.#mass[bin + 1] = (this.#mass[bin] as number) + m
      this.#moment[bin + 1] = (this.#moment[bin] as number) + s
      this.#square[bin + 1] = (this.#square[bin] as number) + (m > 0 ? (s * s) / m : 0)
    }
  }

  /** Where the bins of each centre start, and the end: halfway between neighbours. */
  boundsOf(centres: readonly number[]): number[] {
    const halves = centres.slice(1).map((centre, i) => binOf((centre + (centres[i] as number)) / 2))
    return [0, ...halves, BINS]
  }

  mean(from: number, to: number): number | undefined {
    const mass = between(this.#mass, from, to)
    return mass > 0 ? between(this.#moment, from, to) / mass : undefined
  }

  /** Σ mass × (number − its centre)². */
  errorOf(centres: readonly number[]): number {
    const bounds = this.boundsOf(centres)
    return centres.reduce((sum, centre, i) => {
      const [from, to] = [bounds[i] ?? 0, bounds[i + 1] ?? 0]
      const mass = between(this.#mass, from, to)
      const moment = between(this.#moment, from, to)
      return sum + between(this.#square, from, to) - 2 * centre * moment + centre * centre * mass
    }, 0)
  }
}

function between(sums: Float64Array, from: number, to: number): number {
  return (sums[to] as number) - (sums[from] as number)
}
