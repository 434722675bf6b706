/** Values by the memory a byte array covers: views of the same bytes are the same key. */
export class ByteRanges<Value> {
  readonly #values = new Map<ArrayBufferLike, Map<string, Value>>()

  get(bytes: Uint8Array): Value | undefined {
    return this.#values.get(bytes.buffer)?.get(rangeOf(bytes))
  }

  set(bytes: Uint8Array, value: Value): void {
    const ranges = this.#values.get(bytes.buffer) ?? new Map<string, Value>()
    this.#values.set(bytes.buffer, ranges.set(rangeOf(bytes), value))
  }
}

function rangeOf(bytes: Uint8Array): string {
  return `${bytes.byteOffset}+${bytes.byteLength}`
}
