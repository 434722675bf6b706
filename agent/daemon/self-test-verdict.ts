/**
 * Least ratio of signal to error, dB, at which outputs count as those of the expected model.
 *
 * The question is whether the variant is whole and runs here, not how accurate it is: that was
 * measured before it was chosen. A constant or shuffled output has about 0 dB against class scores, and
 * one flipped answer in eight costs no more than 6 dB: 3 dB lies between.
 */
export const LEAST_AGREEMENT_DB = 3

const EPSILON = 1e-12

/** Collects outputs against their references, output by output. */
export class Agreement {
  #signal = 0
  #error = 0
  #values = 0
  #notFinite = 0

  add(reference: ArrayLike<number>, actual: ArrayLike<number>): void {
    for (let i = 0; i < reference.length; i += 1) {
      const expected = Number(reference[i])
      const value = Number(actual[i])
      this.#values += 1
      if (Number.isFinite(value)) {
        this.#signal += expected * expected
        this.#error += (value - expected) ** 2
      } else this.#notFinite += 1
    }
  }

  get values(): number {
    return this.#values
  }

  get notFinite(): number {
    return this.#notFinite
  }

  get decibels(): number {
    return 10 * Math.log10((this.#signal + EPSILON) / (this.#error + EPSILON))
  }
}
