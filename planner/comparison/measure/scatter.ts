/** Points kept of one activation. */
const POINTS = 400

/** Pairs of numbers, float and quantized, drawn evenly from samples and positions; the same data gives the same points. */
export class ScatterSample {
  readonly #float: number[] = []
  readonly #quantized: number[] = []
  readonly #everyNth: number
  readonly #perSample: number
  #seen = 0
  #state: number

  /** @param samples how many will be seen */
  constructor(samples: number, seed: number) {
    this.#everyNth = Math.max(1, Math.ceil(samples / POINTS))
    this.#perSample = Math.max(1, Math.floor(POINTS / samples))
    this.#state = (seed + 1) >>> 0
  }

  /** Positions of this sample to keep, ascending and distinct. */
  positions(length: number): readonly number[] {
    const turn = this.#seen
    this.#seen += 1
    if (turn % this.#everyNth !== 0 || length === 0) return []
    if (length <= this.#perSample) return Array.from({ length }, (_, i) => i)
    // One from each of as many parts, cut at whole positions: else two neighbours could draw the same.
    const cut = (part: number) => Math.floor((part * length) / this.#perSample)
    return Array.from(
      { length: this.#perSample },
      (_, i) => cut(i) + Math.floor(this.#next() * (cut(i + 1) - cut(i))),
    )
  }

  keep(float: number, quantized: number): void {
    if (!Number.isFinite(float) || !Number.isFinite(quantized)) return
    this.#float.push(float)
    this.#quantized.push(quantized)
  }

  points(): Points {
    return { float: this.#float, quantized: this.#quantized }
  }

  /** Numerical Recipes' generator: uniform in [0, 1), the same on every machine. */
  #next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return this.#state / 2 ** 32
  }
}

/** Entry `i` of both belongs together. */
export interface Points {
  readonly float: readonly number[]
  readonly quantized: readonly number[]
}
