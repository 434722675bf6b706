import type { FlatTable } from './flat-table.ts'

/** Old contents keep their alignment behind a prefix of a multiple of this. */
const ALIGNMENT = 64

/** What a field or an element becomes: a number of so many bytes, or something to point at. */
export type Value =
  | { readonly kind: 'number'; readonly bytes: 1 | 4; readonly value: number }
  | { readonly kind: 'old'; readonly table: FlatTable }
  | { readonly kind: 'place'; readonly position: number }
  | Part

/** Something new, and what it points at. */
export type Part =
  | { readonly kind: 'table'; readonly fields: ReadonlyMap<number, Value> }
  | { readonly kind: 'tables'; readonly elements: readonly Value[] }
  | { readonly kind: 'int32s'; readonly values: readonly number[] }

export const uint8 = (value: number): Value => ({ kind: 'number', bytes: 1, value })
export const int32 = (value: number): Value => ({ kind: 'number', bytes: 4, value })

/** Everything in a table of the file as it is: offsets lead to the same places; `scalars` are the fields that are none. */
export function fieldsOf(table: FlatTable, scalars: readonly number[]): Map<number, Value> {
  const fields = new Map<number, Value>()
  for (let field = 0; field < table.fieldCount; field += 1) {
    const position = table.targetOf(field)
    if (position === undefined) continue
    const value: Value = scalars.includes(field)
      ? int32(table.uint32(field))
      : { kind: 'place', position }
    fields.set(field, value)
  }
  return fields
}

/**
 * A FlatBuffer with a new root in front of the old contents, which the new parts point into: offsets lead forwards only, so
 * that nothing may stand behind what it points at.
 */
export function withPrefix(old: Uint8Array, identifier: string, root: Part): Uint8Array {
  const size = Math.ceil((8 + sizeOf(root)) / ALIGNMENT) * ALIGNMENT
  const bytes = new Uint8Array(size + old.byteLength)
  bytes.set(old, size)
  bytes.set(Buffer.from(identifier, 'latin1'), 4)
  new PrefixWriter(bytes, size).write(root, 0)
  return bytes
}

/** At most. */
function sizeOf(part: Value): number {
  switch (part.kind) {
    case 'table': {
      const fields = [...part.fields.values()]
      const slots = Math.max(0, ...part.fields.keys()) + 1
      return 16 + 2 * slots + fields.reduce((sum, field) => sum + 4 + sizeOf(field), 0)
    }
    case 'tables':
      return 8 + part.elements.reduce((sum, element) => sum + 4 + sizeOf(element), 0)
    case 'int32s':
      return 8 + 4 * part.values.length
    default:
      return 0
  }
}

class PrefixWriter {
  readonly #view: DataView
  /** How far old positions moved. */
  readonly #moved: number
  #end = 8

  constructor(bytes: Uint8Array, moved: number) {
    this.#view = new DataView(bytes.buffer)
    this.#moved = moved
  }

  /** Puts the part at the end of what is written, and an offset to it at `from`. */
  write(part: Part, from: number): void {
    this.#end = Math.ceil(this.#end / 4) * 4
    if (part.kind === 'table') {
      this.#writeTable(part.fields, from)
      return
    }
    const start = this.#end
    const values = part.kind === 'int32s' ? part.values : part.elements
    this.#view.setUint32(from, start - from, true)
    this.#view.setUint32(start, values.length, true)
    this.#end = start + 4 + 4 * values.length
    values.forEach((value, i) => {
      const at = start + 4 + 4 * i
      if (typeof value === 'number') this.#view.setInt32(at, value, true)
      else this.#writeValue(value, at)
    })
  }

  #writeTable(fields: ReadonlyMap<number, Value>, from: number): void {
    const slots = Math.max(-1, ...fields.keys()) + 1
    const vtable = this.#end
    const start = Math.ceil((vtable + 4 + 2 * slots) / 4) * 4
    const placed = [...fields].map(([field, value], i) => ({ field, value, at: 4 + 4 * i }))
    const size = 4 + 4 * placed.length
    this.#view.setUint32(from, start - from, true)
    this.#view.setUint16(vtable, 4 + 2 * slots, true)
    this.#view.setUint16(vtable + 2, size, true)
    this.#view.setInt32(start, start - vtable, true)
    this.#end = start + size
    for (const { field, value, at } of placed) {
      this.#view.setUint16(vtable + 4 + 2 * field, at, true)
      this.#writeValue(value, start + at)
    }
  }

  #writeValue(value: Value, at: number): void {
    switch (value.kind) {
      case 'number':
        if (value.bytes === 1) this.#view.setUint8(at, value.value)
        else this.#view.setInt32(at, value.value, true)
        break
      case 'old':
        this.#view.setUint32(at, value.table.start + this.#moved - at, true)
        break
      case 'place':
        this.#view.setUint32(at, value.position + this.#moved - at, true)
        break
      default:
        this.write(value, at)
    }
  }
}
