import { z } from 'zod'

/** Every quantile is within this share of a value of the data. */
export const RELATIVE_ERROR = 0.02
/** Buckets side by side at most: what is smaller than the widest span is put into its lowest. */
export const MOST_BUCKETS = 128

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
const LOG_GAMMA = Math.log(GAMMA)
/** Buckets of values that a double can hold lie within ±18,000. */
const FURTHEST_BUCKET = 20_000

const countSchema = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

/** Counts of positive values in buckets γ^(i−1) < x ≤ γ^i, `counts[0]` of bucket `first`; zeros apart. */
export const quantileSketchSchema = z.object({
  zeros: countSchema,
  first: z.number().int().min(-FURTHEST_BUCKET).max(FURTHEST_BUCKET),
  counts: z.array(countSchema).max(MOST_BUCKETS),
})
export type QuantileSketchState = z.infer<typeof quantileSketchSchema>

/**
 * Quantiles of values ≥ 0 with a relative error, mergeable without loss, of bounded size. (DDSketch: Masson, Rim,
 * Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", PVLDB 12(12), 2019.)
 *
 * Of the values x₀ … x₍ₙ₋₁₎ in order, `quantile(q)` is within 2 % of x at rank ⌊q(n−1)⌋, unless that lies in the lowest
 * bucket of a full sketch (Proposition 4): 128 buckets hold the highest values over a range of 1 : 167.
 */
export class QuantileSketch {
  #zeros = 0
  #first = 0
  #counts: number[] = []
  #total = 0

  static from({ zeros, first, counts }: QuantileSketchState): QuantileSketch {
    const sketch = new QuantileSketch()
    sketch.#zeros = zeros
    sketch.#total = zeros
    counts.forEach((count, i) => {
      sketch.#addTo(first + i, count)
    })
    return sketch
  }

  get count(): number {
    return this.#total
  }

  /** False for what is no value ≥ 0: it is not counted. */
  add(value: number, times = 1): boolean {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) return false
    if (value < Number.MIN_VALUE * 2 ** 60) {
      this.#zeros += times
      this.#total += times
    } else this.#addTo(Math.ceil(Math.log(value) / LOG_GAMMA), times)
    return true
  }

  merge(other: QuantileSketch): void {
    this.#zeros += other.#zeros
    this.#total += other.#zeros
    other.#counts.forEach((count, i) => {
      this.#addTo(other.#first + i, count)
    })
  }

  /** NaN of an empty sketch. */
  quantile(share: number): number {
    if (this.#total === 0) return Number.NaN
    const rank = Math.floor(share * (this.#total - 1))
    let passed = this.#zeros
    if (rank < passed) return 0
    for (const [i, count] of this.#counts.entries()) {
      passed += count
      // The middle of a bucket in ratio: as far from its lower end as from its upper.
      if (rank < passed) return (2 * GAMMA ** (this.#first + i)) / (GAMMA + 1)
    }
    return Number.NaN
  }

  state(): QuantileSketchState {
    const counts = [...this.#counts]
    while (counts.at(-1) === 0) counts.pop()
    const lead = counts.findIndex((count) => count > 0)
    return lead < 0
      ? { zeros: this.#zeros, first: 0, counts: [] }
      : { zeros: this.#zeros, first: this.#first + lead, counts: counts.slice(lead) }
  }

  #addTo(bucket: number, times: number): void {
    if (times === 0) return
    this.#total += times
    const counts = this.#counts
    if (counts.length === 0) {
      this.#first = bucket
      counts.push(times)
      return
    }
    const last = this.#first + counts.length - 1
    if (bucket > last) this.#growTo(bucket)
    else if (bucket < this.#first) this.#growDown(bucket)
    const at = Math.max(0, bucket - this.#first)
    counts[at] = (counts[at] ?? 0) + times
  }

  /** Higher buckets push the lowest together. */
  #growTo(bucket: number): void {
    const counts = this.#counts
    const lowest = Math.max(this.#first, bucket - MOST_BUCKETS + 1)
    const folded = counts.splice(0, lowest - this.#first)
    const sum = folded.reduce((all, count) => all + count, 0)
    this.#first = lowest
    while (counts.length < bucket - lowest + 1) counts.push(0)
    counts[0] = (counts[0] ?? 0) + sum
  }

  #growDown(bucket: number): void {
    const room = MOST_BUCKETS - this.#counts.length
    const lower = Math.min(room, this.#first - bucket)
    this.#counts.unshift(...new Array<number>(lower).fill(0))
    this.#first -= lower
  }
}
