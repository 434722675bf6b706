/**
 * Reads the few fields of a FlatBuffer that the runtime needs, straight from the bytes and bounds-checked by
 * DataView (RangeError). The full codec is planner/formats/tflite; a device has no planner.
 */
export class FlatTable {
  readonly #view: DataView
  readonly #start: number

  constructor(view: DataView, start: number) {
    this.#view = view
    this.#start = start
  }

  /** Where the table stands in the bytes. */
  get start(): number {
    return this.#start
  }

  /** Fields that its vtable has room for. */
  get fieldCount(): number {
    const vtable = this.#start - this.#view.getInt32(this.#start, true)
    return (this.#view.getUint16(vtable, true) - 4) / 2
  }

  /** Where the offset in a field leads; undefined where it is absent. */
  targetOf(field: number): number | undefined {
    const position = this.#field(field)
    return position === undefined ? undefined : this.#follow(position)
  }

  /** Leaves an absent field absent. */
  overwriteUint32(field: number, value: number): void {
    const position = this.#field(field)
    if (position !== undefined) this.#view.setUint32(position, value, true)
  }

  /** Position of a field's value, or undefined where the table leaves it at its default. */
  #field(number: number): number | undefined {
    const vtable = this.#start - this.#view.getInt32(this.#start, true)
    const slot = 4 + 2 * number
    if (slot >= this.#view.getUint16(vtable, true)) return undefined
    const offset = this.#view.getUint16(vtable + slot, true)
    return offset === 0 ? undefined : this.#start + offset
  }

  #follow(position: number): number {
    return position + this.#view.getUint32(position, true)
  }

  uint8(field: number): number {
    const position = this.#field(field)
    return position === undefined ? 0 : this.#view.getUint8(position)
  }

  uint32(field: number): number {
    const position = this.#field(field)
    return position === undefined ? 0 : this.#view.getUint32(position, true)
  }

  table(field: number): FlatTable | undefined {
    const position = this.#field(field)
    return position === undefined ? undefined : new FlatTable(this.#view, this.#follow(position))
  }

  string(field: number): string {
    return Buffer.from(this.bytes(field)).toString('utf8')
  }

  /** A view. */
  bytes(field: number): Uint8Array {
    const { start, length } = this.#vector(field, 1)
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + start, length)
  }

  tables(field: number): FlatTable[] {
    return this.#elements(field, 4, (at) => new FlatTable(this.#view, this.#follow(at)))
  }

  int32s(field: number): number[] {
    return this.#elements(field, 4, (at) => this.#view.getInt32(at, true))
  }

  float32s(field: number): number[] {
    return this.#elements(field, 4, (at) => this.#view.getFloat32(at, true))
  }

  int64s(field: number): bigint[] {
    return this.#elements(field, 8, (at) => this.#view.getBigInt64(at, true))
  }

  /** Leaves an absent vector absent. */
  overwriteInt32s(field: number, values: readonly number[]): void {
    const { start, length } = this.#vector(field, 4)
    for (let i = 0; i < length; i++) this.#view.setInt32(start + 4 * i, values[i] ?? 0, true)
  }

  #elements<T>(field: number, width: number, read: (position: number) => T): T[] {
    const { start, length } = this.#vector(field, width)
    return Array.from({ length }, (_, i) => read(start + width * i))
  }

  #vector(field: number, width: number): { start: number; length: number } {
    const position = this.#field(field)
    if (position === undefined) return { start: 0, length: 0 }
    const vector = this.#follow(position)
    const length = this.#view.getUint32(vector, true)
    if (vector + 4 + length * width > this.#view.byteLength)
      throw new RangeError('a vector reaches past the end of the file')
    return { start: vector + 4, length }
  }
}

/** @throws RangeError when the four-character identifier is another */
export function rootTable(bytes: Uint8Array, identifier: string): FlatTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(i)))
  if (found !== identifier) throw new RangeError(`identifier ${found}, not ${identifier}`)
  return new FlatTable(view, view.getUint32(0, true))
}
