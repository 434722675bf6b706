import type { z } from 'zod'
import type { SampleError } from './answer-bits.ts'
import type { outputErrorSchema } from './quality-record.ts'

/** Stands for "no difference": JSON has no infinity. */
const NO_ERROR_DB = 200

/** Sums the difference of one output from its reference; memory does not grow. */
export class OutputError {
  readonly #name: string
  #signal = 0
  #noise = 0
  #absolute = 0
  #largest = 0
  #count = 0
  #lost = 0

  constructor(name: string) {
    this.#name = name
  }

  /** What is no number has no distance: where one is expected, or comes, and not the other, nothing is alike any more. */
  add(values: ArrayLike<number>, reference: ArrayLike<number>): SampleError {
    const before = { signal: this.#signal, noise: this.#noise }
    for (let i = 0; i < values.length; i++) {
      const expected = reference[i] ?? 0
      const value = values[i] ?? 0
      const error = Object.is(value, expected) ? 0 : Math.abs(value - expected)
      if (!Number.isFinite(error)) {
        this.#lost += 1
        continue
      }
      if (!Number.isFinite(expected)) continue
      this.#signal += expected * expected
      this.#noise += error * error
      this.#absolute += error
      this.#largest = Math.max(this.#largest, error)
      this.#count += 1
    }
    const signal = this.#signal - before.signal
    return { name: this.#name, signal, noise: this.#noise - before.noise }
  }

  summary(): z.infer<typeof outputErrorSchema> {
    return {
      name: this.#name,
      sqnrDb: this.#lost > 0 ? -NO_ERROR_DB : sqnrDb(this.#signal, this.#noise),
      maxAbsError: this.#largest,
      meanAbsError: this.#count === 0 ? 0 : this.#absolute / this.#count,
    }
  }
}

/** 10 log₁₀ of two sums of squares; between ±200 dB. */
export function sqnrDb(signal: number, noise: number): number {
  if (noise === 0) return NO_ERROR_DB
  if (signal === 0) return -NO_ERROR_DB
  return Math.max(-NO_ERROR_DB, Math.min(NO_ERROR_DB, 10 * Math.log10(signal / noise)))
}
