import type { Range } from '../../graph/index.ts'
import type { HistogramData } from '../observers/statistics.ts'
import type { Reading } from './reading.ts'

/**
 * Expected squared error of coding a histogram's numbers in a range, at what those become who read them; one question
 * costs two look-ups.
 */
export class ClippingError {
  readonly #data: HistogramData
  readonly #reading: Reading | null
  /** Running sums over the bins of count, count × value, count × value², where value is what is read at the centre. */
  readonly #counts: Float64Array
  readonly #sums: Float64Array
  readonly #squares: Float64Array
  /** Of count × slope²: so much of a rounding error is read. */
  readonly #slopes: Float64Array

  constructor(data: HistogramData, reading: Reading | null = null) {
    this.#data = data
    this.#reading = reading
    const bins = data.bins.length
    this.#counts = new Float64Array(bins + 1)
    this.#sums = new Float64Array(bins + 1)
    this.#squares = new Float64Array(bins + 1)
    this.#slopes = reading === null ? this.#counts : new Float64Array(bins + 1)
    data.bins.forEach((count, i) => {
      const start = (i - data.offset) * data.width
      const value = this.#read(start + data.width / 2)
      this.#counts[i + 1] = (this.#counts[i] as number) + count
      this.#sums[i + 1] = (this.#sums[i] as number) + count * value
      this.#squares[i + 1] = (this.#squares[i] as number) + count * value * value
      if (reading === null) return
      const slope = (reading(start + data.width) - reading(start)) / data.width
      this.#slopes[i + 1] = (this.#slopes[i] as number) + count * slope * slope
    })
  }

  /** From what zero is read as: zeros lose nothing. */
  #read(value: number): number {
    return this.#reading === null ? value : this.#reading(value) - this.#reading(0)
  }

  get total(): number {
    return this.#counts.at(-1) as number
  }

  /** Of what is read; zeros are none of their bin's middle. */
  get meanSquare(): number {
    return ((this.#squares.at(-1) as number) - this.#ofZeros) / this.total
  }

  get #ofZeros(): number {
    return this.#data.zeros * this.#read(this.#data.width / 2) ** 2
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
    if (from >= to) return (between(this.#slopes, low, high) * step * step) / 12
    const small = between(this.#squares, from, to) - this.#ofZeros
    const spread = between(this.#slopes, low, high) - between(this.#slopes, from, to)
    return Math.max(0, small) + (spread * step * step) / 12
  }

  /** Sum of (value − border)² over the bins from `start` to `end`, which are read as what is read at `cutAt`. */
  #distance(start: number, end: number, cutAt: number): number {
    const border = this.#read(cutAt)
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
