import { type Random, seededRandom } from '../../../shared/statistics/seeded-random.ts'

/** Draws of one seed. */
export class Draws {
  readonly #random: Random

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    // The first outputs of neighbouring seeds are alike.
    for (let i = 0; i < 8; i++) this.#random()
  }

  uniform(low = 0, high = 1): number {
    return low + (high - low) * this.#random()
  }

  /** Box & Muller 1958. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()))
    return radius * Math.cos(2 * Math.PI * this.#random())
  }

  /** A factor about 1 with this relative spread. */
  factor(spread: number): number {
    return Math.exp(spread * this.normal())
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.#random())
  }

  /** How many of rare events happen. (Knuth, The Art of Computer Programming, vol. 2, §3.4.1.) */
  poisson(mean: number): number {
    const limit = Math.exp(-Math.min(mean, 500))
    let product = this.#random()
    let count = 0
    while (product > limit) {
      product *= this.#random()
      count += 1
    }
    return count
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }
}
