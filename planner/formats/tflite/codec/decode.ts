import type { AnyScalar } from './schema/scalars.ts'
import {
  type EnumType,
  type Field,
  type Table,
  type TableName,
  type Tree,
  tables,
} from './schema/schema.ts'
import type { Source, TableFrame } from './source.ts'
import { STORAGE } from './storage.ts'

/** Decodes the table at `position` and all below it. */
export function decodeTable(source: Source, name: TableName, position: number): Tree {
  const table = tables[name]
  const frame = source.table(position)
  refuseUnknownFields(source, table, frame)
  const tree: Tree = {}
  for (const field of table.fields) {
    tree[field.name] = source.place.within(field.name, () => decodeField(source, frame, field))
  }
  return STORAGE[name]?.fromFile(tree, source) ?? tree
}

/** Data we cannot name cannot be carried through a rewrite, and must not vanish in one. */
function refuseUnknownFields(source: Source, table: Table, frame: TableFrame): void {
  for (let slot = table.slots; slot < frame.slots; slot += 1) {
    if (source.field(frame, slot, 1) === null) continue
    source.fail(
      'newer-schema',
      `${table.name} has a field (number ${slot}) that this program does not know: the file was written for a newer schema, or is damaged`,
    )
  }
}

function decodeField(source: Source, frame: TableFrame, field: Field): unknown {
  const { type } = field
  if (field.vector) {
    const at = source.field(frame, field.slot, 4)
    if (at === null) return field.emptyWhenAbsent ? [] : null
    return decodeVector(source, source.target(at), field)
  }
  switch (type.kind) {
    case 'scalar': {
      const at = source.field(frame, field.slot, type.scalar.size)
      return at === null ? field.default : type.scalar.read(source.buffer, at)
    }
    case 'enum': {
      const at = source.field(frame, field.slot, type.enum.storage.size)
      return at === null ? field.default : decodeEnum(source, type.enum, at)
    }
    case 'string': {
      const at = source.field(frame, field.slot, 4)
      return at === null ? null : decodeString(source, source.target(at))
    }
    case 'table': {
      const at = source.field(frame, field.slot, 4)
      return at === null ? null : decodeTable(source, type.table, source.target(at))
    }
    case 'union':
      return decodeUnion(source, frame, field.slot, type.union.members)
  }
}

/** A tag without a value, or a value without a tag, is no options at all to every runtime. */
function decodeUnion(
  source: Source,
  frame: TableFrame,
  slot: number,
  members: readonly TableName[],
): Tree | null {
  const tagAt = source.field(frame, slot, 1)
  const valueAt = source.field(frame, slot + 1, 4)
  const tag = tagAt === null ? 0 : source.buffer.readUint8(tagAt)
  const member = members[tag]
  if (member === undefined) {
    source.fail(
      'newer-schema',
      `union member ${tag} is unknown (known: 0 to ${members.length - 1}): the file was written for a newer schema, or is damaged`,
    )
  }
  if (tag === 0 || valueAt === null) return null
  return { type: member, ...decodeTable(source, member, source.target(valueAt)) }
}

function decodeVector(source: Source, position: number, field: Field): unknown {
  const { type } = field
  if (type.kind === 'scalar') return decodeScalars(source, position, type.scalar)
  const elementSize = type.kind === 'enum' ? type.enum.storage.size : 4
  const { start, length } = source.vector(position, elementSize)
  source.plainArray(length)
  const elements: unknown[] = []
  for (let index = 0; index < length; index += 1) {
    const at = start + index * elementSize
    elements.push(source.place.within(index, () => decodeElement(source, at, field)))
  }
  return elements
}

function decodeElement(source: Source, at: number, { type }: Field): unknown {
  if (type.kind === 'enum') return decodeEnum(source, type.enum, at)
  if (type.kind === 'table') return decodeTable(source, type.table, source.target(at))
  return decodeString(source, source.target(at))
}

function decodeScalars(source: Source, position: number, scalar: AnyScalar): unknown {
  const frame = source.vector(position, scalar.size)
  if (scalar.array === Uint8Array && scalar.packed) return source.view(frame.start, frame.length)
  if (scalar.packed) return new scalar.array(source.copy(frame, scalar.size))
  source.plainArray(frame.length)
  const array = new scalar.array(source.copy(frame, scalar.size)) as ArrayLike<unknown>
  return typeof scalar.zero === 'boolean' ? Array.from(array, Boolean) : Array.from(array)
}

function decodeString(source: Source, position: number): string {
  return source.text(source.vector(position, 1))
}

function decodeEnum(source: Source, type: EnumType, at: number): string {
  const code = Number(type.storage.read(source.buffer, at))
  const name = type.names[code]
  if (name === undefined) {
    source.fail(
      'newer-schema',
      `${type.name} ${code} is unknown (known: 0 to ${type.names.length - 1}): the file was written for a newer schema, or is damaged`,
    )
  }
  return name
}
