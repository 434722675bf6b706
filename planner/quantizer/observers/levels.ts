/** As many as codes of 8 bits. */
const MOST = 256

/** Which numbers an activation holds, and how often: null once they are more than codes could tell apart. */
export type LevelCounts = ReadonlyMap<number, number> | null

/** Counts numbers one by one as long as they are few: pictures of 8 bits, indices, flags. */
export class Levels {
  #counts: Map<number, number> | null = new Map()

  get counts(): LevelCounts {
    return this.#counts
  }

  /** Every `stride`th number from `start`. */
  add(values: Float32Array, start: number, stride: number): void {
    for (let i = start; i < values.length && this.#counts !== null; i += stride) {
      this.#count(values[i] as number, 1)
    }
  }

  merge(other: LevelCounts): void {
    if (other === null) this.#counts = null
    else for (const [value, count] of other) this.#count(value, count)
  }

  #count(value: number, times: number): void {
    this.#counts?.set(value, (this.#counts.get(value) ?? 0) + times)
    if ((this.#counts?.size ?? 0) > MOST) this.#counts = null
  }
}
