import type { Range } from '../../graph/index.ts'
import type { HistogramData } from '../observers/statistics.ts'

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

  /** Of the numbers themselves; zeros are none of their bin's middle. */
  get meanSquare(): number {
    const { zeros, width } = this.#data
    return ((this.#squares.at(-1) as number) - zeros * (width / 2) ** 2) / this.total
  }

  /** Mean squared error with `steps` steps over `range`: what is cut off, and rounding of what is not. */
  of(range: Range, steps: number): number {
    const bins = this.#data.bins.length
    const low = this.#binAt(range.min)
    const high = this.#binAt(range.max)
    const cut = this.#distance(0, low, range.min) + this.#distance(high, bins, range.max)
    const step = (range.max - range.min) / steps
    return (cut + this.#rounding(low, high, step)) / this.total
  }

  /**
   * Δ²/12 for numbers spread evenly over a step; but those nearest to zero, often the most, lose just
   * themselves, and zeros nothing.
   */
  #rounding(low: number, high: number, step: number): number {
    const near = [this.#binAt(-step / 2), this.#binAt(step / 2)] as const
    const [from, to] = [Math.max(low, near[0]), Math.min(high, near[1])]
    if (from >= to) return (between(this.#counts, low, high) * step * step) / 12
    const { zeros, width } = this.#data
    const small = between(this.#squares, from, to) - zeros * (width / 2) ** 2
    const spread = between(this.#counts, low, high) - between(this.#counts, from, to)
    return Math.max(0, small) + (spread * step * step) / 12
  }

  /** Sum of (number − border)² over the bins from `start` to `end`. */
  #distance(start: number, end: number, border: number): number {
    return (
      between(this.#squares, start, end) -
      2 * border * between(this.#sums, start, end) +
      border * border * between(this.#counts, start, end)
    )
  }

  #binAt(value: number): number {
    const bin = Math.round(value / this.#data.width) + this.#data.offset
    return Math.min(this.#data.bins.length, Math.max(0, bin))
  }
}

function between(sums: Float64Array, start: number, end: number): number {
  return (sums[end] as number) - (sums[start] as number)
}
