import type { HistogramData } from '../calibrate/statistics.ts'
import type { Range } from '../parameters/activation.ts'

/** Expected squared error of coding a histogram's numbers in a range; one question costs two look-ups. */
export class ClippingError {
  readonly #data: HistogramData
  /** Running sums over the bins of count, count × centre, count × centre². */
  readonly #counts: Float64Array
  readonly #sums: Float64Array
  readonly #squares: Float64Array

  constructor(data: HistogramData) {
    this.#data = data
    const bins = data.bins.length
    this.#counts = new Float64Array(bins + 1)
    this.#sums = new Float64Array(bins + 1)
    this.#squares = new Float64Array(bins + 1)
    data.bins.forEach((count, i) => {
      const centre = (i + 0.5 - data.offset) * data.width
      this.#counts[i + 1] = (this.#counts[i] as number) + count
      this.#sums[i + 1] = (this.#sums[i] as number) + count * centre
      this.#squares[i + 1] = (this.#squares[i] as number) + count * centre * centre
    })
  }

  get total(): number {
    return this.#counts.at(-1) as number
  }

  /** Mean squared error with `steps` steps over `range`: what is cut off, and rounding (Δ²/12) of what is not. */
  of(range: Range, steps: number): number {
    const bins = this.#data.bins.length
    const low = this.#binAt(range.min)
    const high = this.#binAt(range.max)
    const inside = (this.#counts[high] as number) - (this.#counts[low] as number)
    const step = (range.max - range.min) / steps
    const rounded = Math.max(0, inside - this.#data.zeros)
    const cut = this.#distance(0, low, range.min) + this.#distance(high, bins, range.max)
    return (cut + (rounded * step * step) / 12) / this.total
  }

  /** Sum of (number − border)² over the bins from `start` to `end`. */
  #distance(start: number, end: number, border: number): number {
    const between = (sums: Float64Array) => (sums[end] as number) - (sums[start] as number)
    return (
      between(this.#squares) -
      2 * border * between(this.#sums) +
      border * border * between(this.#counts)
    )
  }

  #binAt(value: number): number {
    const bin = Math.round(value / this.#data.width) + this.#data.offset
    return Math.min(this.#data.bins.length, Math.max(0, bin))
  }
}
