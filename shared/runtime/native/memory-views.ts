import type { Koffi, Pointer } from './ffi.ts'

/** Views kept at once; models whose outputs move with every run make others all the time. */
const MOST = 64

/**
 * Memory of a library as bytes. Making a view costs 10 µs, a tenth of what a small model takes, so the view of a place
 * is kept; it is looked at only where the library has just named that place and size again.
 */
export class MemoryViews {
  readonly #koffi: Koffi
  readonly #views = new Map<Pointer, Uint8Array>()

  constructor(koffi: Koffi) {
    this.#koffi = koffi
  }

  /** What lies at `at` now: to be read or written before anything else is asked of the library. */
  at(at: Pointer, bytes: number): Uint8Array {
    const kept = this.#views.get(at)
    if (kept?.byteLength === bytes) return kept
    if (this.#views.size >= MOST) this.#views.clear()
    const made = new Uint8Array(this.#koffi.view(at, bytes))
    this.#views.set(at, made)
    return made
  }
}

/** A copy, in the memory of the one before where that fits. */
export function copied(memory: Uint8Array, before: Uint8Array | undefined): Uint8Array {
  const copy = before?.byteLength === memory.byteLength ? before : new Uint8Array(memory.byteLength)
  copy.set(memory)
  return copy
}
