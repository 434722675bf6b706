import { ApiError } from '../contract/errors.ts'

/** Lets so many requests of one caller through at a time, and so many of all. */
export class Turnstile {
  readonly #most: { readonly each: number; readonly all: number }
  readonly #inside = new Map<string, number>()
  #all = 0

  constructor(most: { readonly each: number; readonly all: number }) {
    this.#most = most
  }

  /** What is returned lets the next one in. @throws ApiError `too-many` */
  enter(caller: string): () => void {
    const own = this.#inside.get(caller) ?? 0
    if (own >= this.#most.each || this.#all >= this.#most.all) {
      throw new ApiError(
        'too-many',
        `${own} requests of ${caller} are being answered, ${this.#all} of all: wait for one to end`,
      )
    }
    this.#inside.set(caller, own + 1)
    this.#all += 1
    let isOut = false
    return () => {
      if (isOut) return
      isOut = true
      this.#all -= 1
      const left = (this.#inside.get(caller) ?? 1) - 1
      if (left > 0) this.#inside.set(caller, left)
      else this.#inside.delete(caller)
    }
  }
}
