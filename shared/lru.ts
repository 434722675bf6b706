/** A map that keeps what was used last: bounded memory for what can be worked out again. */
export class Lru<Key, Value> {
  readonly #most: number
  readonly #entries = new Map<Key, Value>()

  /** @param most entries, at least one */
  constructor(most: number) {
    this.#most = most
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#most) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest as Key)
  }

  clear(): void {
    this.#entries.clear()
  }
}
