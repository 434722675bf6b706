import { Builder, type Offset } from 'flatbuffers'
import { TfliteError } from '../errors.ts'
import { ByteRanges } from './byte-ranges.ts'
import { Place } from './place.ts'
import type { AnyScalar, ScalarArray } from './schema/scalars.ts'
import {
  type EnumType,
  type Field,
  type Table,
  type TableName,
  type Tree,
  tables,
  type UnionType,
} from './schema/schema.ts'
import { STORAGE } from './storage.ts'
import { encodeText } from './text.ts'

/** Alignment of the vectors that hold weights: those may share their place. */
const BUFFER_ALIGNMENT = 16

/** Bytes to be laid behind the flatbuffer, and the table field that wants to know where. */
export interface OutsideBytes {
  bytes: Uint8Array
  /** Offset of the table from the end of the flatbuffer. */
  table: Offset
  slot: number
}

/** Tables of the model → flatbuffer, built back to front. */
export class Encoder {
  readonly builder: Builder
  readonly place = new Place()
  readonly outside: OutsideBytes[] = []
  readonly #everythingOutside: boolean
  /** Buffers that share their bytes in memory share them in the file. */
  readonly #bytesWritten = new ByteRanges<Offset>()

  constructor(initialBytes: number, everythingOutside: boolean) {
    this.builder = new Builder(initialBytes)
    this.#everythingOutside = everythingOutside
  }

  table(name: TableName, value: unknown): Offset {
    const table = tables[name]
    const tree = this.#treeOf(value, name)
    const stored = STORAGE[name]?.toFile(tree, this.#everythingOutside) ?? { fields: tree }
    this.#refuseUnknownFields(table, stored.fields)
    const offsets = table.fields.map((field) =>
      this.place.within(field.name, () => this.#child(field, stored.fields[field.name])),
    )
    this.builder.startObject(table.slots)
    for (const { field, index } of bySize(table)) {
      this.place.within(field.name, () =>
        this.#field(field, stored.fields[field.name], offsets[index] ?? 0),
      )
    }
    const offset = this.builder.endObject()
    const { outside } = stored
    if (outside !== undefined) {
      const slot = table.fields.find((field) => field.name === outside.offsetField)?.slot ?? 0
      this.outside.push({ bytes: outside.bytes, table: offset, slot })
    }
    return offset
  }

  /** Lays down what a field refers to; 0 for a field that is inline or absent. */
  #child(field: Field, value: unknown): Offset {
    const { type } = field
    if (value === null || value === undefined) {
      return field.emptyWhenAbsent ? this.#vector(field, []) : 0
    }
    if (field.vector) return this.#vector(field, value)
    if (type.kind === 'string') return this.#string(value)
    if (type.kind === 'table') return this.table(type.table, value)
    if (type.kind === 'union') return this.#union(type.union, value)
    return 0
  }

  #field(field: Field, value: unknown, offset: Offset): void {
    const { builder } = this
    const { type } = field
    if (!field.vector && type.kind === 'scalar') {
      this.#scalar(field.slot, type.scalar, value ?? field.default, field.default)
    } else if (!field.vector && type.kind === 'enum') {
      const { storage } = type.enum
      const code = this.#code(type.enum, value ?? field.default)
      this.#scalar(field.slot, storage, code, this.#code(type.enum, field.default))
    } else if (type.kind === 'union' && offset !== 0) {
      builder.addFieldInt8(field.slot, this.#tag(type.union, value), 0)
      builder.addFieldOffset(field.slot + 1, offset, 0)
    } else {
      builder.addFieldOffset(field.slot, offset, 0)
    }
  }

  #scalar(slot: number, scalar: AnyScalar, value: unknown, absent: unknown): void {
    if (!scalar.fits(value)) this.#refuse(`${show(value)} does not fit the field`)
    // Object.is: a stored -0 is no default 0.
    if (Object.is(value, absent)) return
    scalar.add(this.builder, value as boolean | number | bigint)
    this.builder.slot(slot)
  }

  #union(union: UnionType, value: unknown): Offset {
    const member = union.members[this.#tag(union, value)] as TableName
    const { type: _, ...fields } = this.#treeOf(value, union.name)
    return this.table(member, fields)
  }

  #tag(union: UnionType, value: unknown): number {
    const { type } = this.#treeOf(value, union.name)
    const tag = union.members.indexOf(type as TableName)
    if (tag < 1) this.#refuse(`${show(type)} is no member of ${union.name}`)
    return tag
  }

  #code(type: EnumType, value: unknown): number {
    return type.codes.get(String(value)) ?? this.#refuse(`${show(value)} is no ${type.name}`)
  }

  #string(value: unknown): Offset {
    if (typeof value !== 'string') this.#refuse(`${show(value)} is no string`)
    return this.builder.createString(encodeText(value))
  }

  #vector(field: Field, value: unknown): Offset {
    const { type } = field
    if (type.kind === 'scalar') return this.#scalars(type.scalar, value, field.align)
    if (!Array.isArray(value)) return this.#refuse(`${show(value)} is no array`)
    const elements: unknown[] = value
    if (type.kind === 'enum') {
      const codes = elements.map((element) => this.#code(type.enum, element))
      return this.#scalars(type.enum.storage, codes, field.align)
    }
    const offsets = elements.map((element, index) =>
      this.place.within(index, () =>
        type.kind === 'table' ? this.table(type.table, element) : this.#string(element),
      ),
    )
    this.builder.startVector(4, offsets.length, 4)
    for (const offset of offsets.reverse()) this.builder.addOffset(offset)
    return this.builder.endVector()
  }

  #scalars(scalar: AnyScalar, value: unknown, align: number | null): Offset {
    const array = this.#arrayOf(scalar, value)
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    const shared = align === BUFFER_ALIGNMENT
    const known = shared ? this.#bytesWritten.get(bytes) : undefined
    if (known !== undefined) return known
    this.builder.startVector(scalar.size, array.length, Math.max(align ?? 1, scalar.size))
    const offset = this.builder.createByteVector(bytes)
    // createByteVector counts bytes; a vector's length counts elements.
    const buffer = this.builder.dataBuffer()
    buffer.writeInt32(buffer.capacity() - offset, array.length)
    if (shared) this.#bytesWritten.set(bytes, offset)
    return offset
  }

  #arrayOf(scalar: AnyScalar, value: unknown): ScalarArray {
    if (value instanceof scalar.array) return value as ScalarArray
    if (!Array.isArray(value))
      return this.#refuse(`${show(value)} is no vector of the field's type`)
    const elements: unknown[] = value
    elements.forEach((element, index) => {
      if (scalar.fits(element)) return
      this.place.within(index, () => this.#refuse(`${show(element)} does not fit the vector`))
    })
    return scalar.array.from(elements)
  }

  #treeOf(value: unknown, name: string): Tree {
    if (typeof value !== 'object' || value === null) this.#refuse(`${show(value)} is no ${name}`)
    return value as Tree
  }

  /** A misspelt field would vanish in the file. */
  #refuseUnknownFields(table: Table, tree: Tree): void {
    for (const [name, value] of Object.entries(tree)) {
      if (table.fieldNames.has(name) || value === undefined) continue
      this.#refuse(`${table.name} has no field "${name}"`)
    }
  }

  #refuse(reason: string): never {
    throw new TfliteError(
      'unwritable',
      { file: 'model to write', place: this.place.toString() },
      reason,
    )
  }
}

const sizeOrders = new Map<Table, { field: Field; index: number }[]>()

/** Largest fields first: no padding between them. */
function bySize(table: Table): { field: Field; index: number }[] {
  const known = sizeOrders.get(table)
  if (known !== undefined) return known
  const order = table.fields.map((field, index) => ({ field, index }))
  order.sort((a, b) => inlineSize(b.field) - inlineSize(a.field))
  sizeOrders.set(table, order)
  return order
}

function inlineSize({ type, vector }: Field): number {
  if (vector) return 4
  if (type.kind === 'scalar') return type.scalar.size
  return type.kind === 'enum' ? type.enum.storage.size : 4
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  const text = typeof value === 'object' && value !== null ? value.constructor.name : String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
