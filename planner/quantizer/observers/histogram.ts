import type { HistogramData } from './statistics.ts'

/** Enough for an 8-bit code to span several bins even when half of them are empty. */
const BINS = 4096

/** Room at each end for rounding of value × 1/width. */
const MARGIN = 1

/**
 * Counts of real numbers over a range that is not known beforehand. Bin borders are multiples of the
 * bin width, so zero is always a border; when a number falls outside, the width doubles and pairs of
 * bins merge. Memory is constant, and every bin count stays exact.
 */
export class Histogram {
  bins = new Float64Array(BINS)
  /** Bin `i` counts numbers in [(i − offset) × width, (i + 1 − offset) × width). */
  offset = 0
  width = 0
  /** Exact zeros, which also count in bin `offset`: they are coded without error. */
  zeros = 0
  #low = 0
  #high = 0

  /** Counts every `stride`th number from `start`. `min` and `max` bound them all, and are finite. */
  add(values: Float32Array, min: number, max: number, start: number, stride: number): void {
    this.#cover(min, max)
    const { bins, offset } = this
    const bits = new Int32Array(values.buffer, values.byteOffset, values.length)
    const scale = 1 / this.width
    let zeros = 0
    for (let i = start; i < values.length; i += stride) {
      const bin = ((values[i] as number) * scale + offset) | 0
      bins[bin] = (bins[bin] as number) + 1
      // No branch, for no processor guesses what a ReLU did: 0 is what has no bits but for its sign.
      const magnitude = (bits[i] as number) << 1
      zeros += ((magnitude | -magnitude) >>> 31) ^ 1
    }
    this.zeros += zeros
  }

  /** What another counted of numbers between `min` and `max`: the wider bins of the two hold both. */
  merge(other: HistogramData, min: number, max: number): void {
    if (other.width === 0) return
    this.#cover(min, max, other.width)
    const factor = this.width / other.width
    other.bins.forEach((count, i) => {
      if (count === 0) return
      const bin = Math.floor((i - other.offset) / factor) + this.offset
      this.bins[bin] = (this.bins[bin] as number) + count
    })
    this.zeros += other.zeros
  }

  #cover(min: number, max: number, atLeast = 0): void {
    const wide = this.width > 0 && this.width >= atLeast
    if (wide && min >= this.#low && max <= this.#high) return
    this.#low = Math.min(this.#low, min)
    this.#high = Math.max(this.#high, max)
    let width = Math.max(this.width || firstWidth(this.#high - this.#low), atLeast)
    while (binsNeeded(this.#low, this.#high, width) > BINS) width *= 2
    const offset = MARGIN - Math.floor(this.#low / width)
    if (width !== this.width || offset !== this.offset) this.#rebin(width, offset)
  }

  #rebin(width: number, offset: number): void {
    const factor = this.width === 0 ? 1 : width / this.width
    const bins = new Float64Array(BINS)
    this.bins.forEach((count, i) => {
      if (count === 0) return
      const bin = Math.floor((i - this.offset) / factor) + offset
      bins[bin] = (bins[bin] as number) + count
    })
    this.bins = bins
    this.width = width
    this.offset = offset
  }
}

/** Where the first samples are all zeros; the width doubles its way up from there. */
const SMALLEST_SPAN = 1e-30

/** A power of two, so that doubling keeps borders on borders. */
function firstWidth(span: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(span, SMALLEST_SPAN) / (BINS - 2 * MARGIN)))
}

function binsNeeded(low: number, high: number, width: number): number {
  return Math.floor(high / width) - Math.floor(low / width) + 1 + 2 * MARGIN
}
