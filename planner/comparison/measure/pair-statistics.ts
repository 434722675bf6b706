import { sqnrDb } from '../../../shared/measure/index.ts'
import { SENTINEL_MAGNITUDE } from '../../graph/index.ts'
import { type Points, ScatterSample } from './scatter.ts'

/** real = scale × (element − zeroPoint); floats have scale 1. */
export interface Reading {
  readonly scale: number
  readonly zeroPoint: number
}

export const AS_IS: Reading = { scale: 1, zeroPoint: 0 }

/** Real numbers that a type can stand for; infinite for floats. */
export interface Representable {
  readonly lowest: number
  readonly highest: number
  /** Distance of neighbours; 0 for floats. */
  readonly step: number
}

export interface PairSummary {
  /** Numbers compared. */
  readonly count: number
  /** Of the float model. */
  readonly min: number
  readonly max: number
  readonly sqnrDb: number
  readonly maxAbsError: number
  /** Mean of quantized − float: a shift of the whole layer. */
  readonly meanError: number
  /** Share of the float model's numbers beyond what the quantized tensor can hold. */
  readonly clipped: number
  /** Elements that are NaN, infinite or sentinels: kept out of everything above. */
  readonly notFinite: { readonly float: number; readonly quantized: number }
}

/** Follows one activation of both models, sample by sample, in constant memory. */
export class PairStatistics {
  readonly #lowest: number
  readonly #highest: number
  readonly #scatter: ScatterSample
  #count = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY
  #signal = 0
  #noise = 0
  #shift = 0
  #largest = 0
  #clipped = 0
  #floatNotFinite = 0
  #quantizedNotFinite = 0

  /** @param seed of the points kept for a plot */
  constructor(representable: Representable, samples: number, seed: number) {
    const { lowest, highest, step } = representable
    // A step beyond the last code is lost by rule where scales are fixed: a probability of 1 has no code. The rest
    // forgives float32 arithmetic.
    this.#lowest = lowest - 1.001 * step
    this.#highest = highest + 1.001 * step
    this.#scatter = new ScatterSample(samples, seed)
  }

  /** Keeps no reference. Both have the same length. */
  add(
    float: ArrayLike<number>,
    floatReading: Reading,
    quantized: ArrayLike<number>,
    quantizedReading: Reading,
  ): void {
    for (let i = 0; i < float.length; i += 1) {
      const expected = floatReading.scale * ((float[i] as number) - floatReading.zeroPoint)
      const given = quantizedReading.scale * ((quantized[i] as number) - quantizedReading.zeroPoint)
      this.#compare(expected, given)
    }
    for (const at of this.#scatter.positions(float.length)) {
      this.#scatter.keep(
        floatReading.scale * ((float[at] as number) - floatReading.zeroPoint),
        quantizedReading.scale * ((quantized[at] as number) - quantizedReading.zeroPoint),
      )
    }
  }

  summary(): PairSummary {
    const share = (sum: number) => (this.#count === 0 ? 0 : sum / this.#count)
    return {
      count: this.#count,
      min: this.#count === 0 ? 0 : this.#min,
      max: this.#count === 0 ? 0 : this.#max,
      sqnrDb: sqnrDb(this.#signal, this.#noise),
      maxAbsError: this.#largest,
      meanError: share(this.#shift),
      clipped: share(this.#clipped),
      notFinite: { float: this.#floatNotFinite, quantized: this.#quantizedNotFinite },
    }
  }

  points(): Points {
    return this.#scatter.points()
  }

  #compare(expected: number, given: number): void {
    const floatUsable = Math.abs(expected) < SENTINEL_MAGNITUDE
    const quantizedUsable = Math.abs(given) < SENTINEL_MAGNITUDE
    if (!floatUsable) this.#floatNotFinite += 1
    if (!quantizedUsable) this.#quantizedNotFinite += 1
    if (!floatUsable || !quantizedUsable) return
    const error = given - expected
    this.#count += 1
    this.#signal += expected * expected
    this.#noise += error * error
    this.#shift += error
    if (expected < this.#min) this.#min = expected
    if (expected > this.#max) this.#max = expected
    const magnitude = error < 0 ? -error : error
    if (magnitude > this.#largest) this.#largest = magnitude
    if (expected < this.#lowest || expected > this.#highest) this.#clipped += 1
  }
}
