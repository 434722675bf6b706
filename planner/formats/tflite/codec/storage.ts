import { enumTypes, type TableName, type Tree } from './schema/schema.ts'
import type { Source } from './source.ts'

/** What the writer stores for a table of the model. */
export interface Stored {
  fields: Tree
  /** Bytes that go behind the flatbuffer; `offsetField` receives their place in the file. */
  outside?: { bytes: Uint8Array; offsetField: string }
}

/** Where the file's form of a table differs from the model's. */
interface Storage {
  fromFile(fields: Tree, source: Source): Tree
  /** `outside`: byte vectors that may live behind the flatbuffer shall. */
  toFile(tree: Tree, outside: boolean): Stored
}

/** Outside data "is only valid if > 1" (schema.fbs, Buffer): runtimes ask that of offset and size. */
const SMALLEST_OUTSIDE = 2
/** Non-zero, so that the builder lays the field down; the writer puts the real place there. */
const PLACE_TO_COME = 1n

const operators = enumTypes.BuiltinOperator
const LARGEST_DEPRECATED_CODE = operators.codes.get('PLACEHOLDER_FOR_GREATER_OP_CODES') ?? 0

export const STORAGE: Partial<Record<TableName, Storage>> = {
  // The code is the larger of a byte of old files and its int32 successor (schema version 3a).
  OperatorCode: {
    fromFile: ({ deprecatedBuiltinCode, ...fields }) => {
      const old = Number(deprecatedBuiltinCode)
      const code = operators.codes.get(String(fields.builtinCode)) ?? 0
      return { ...fields, builtinCode: operators.names[Math.max(old, code)] }
    },
    toFile: (tree) => {
      const code = operators.codes.get(String(tree.builtinCode)) ?? 0
      const deprecatedBuiltinCode = Math.min(code, LARGEST_DEPRECATED_CODE)
      return { fields: { ...tree, deprecatedBuiltinCode } }
    },
  },
  Buffer: outsideable({
    data: 'data',
    offset: 'offset',
    size: 'size',
    mark: 'outside',
  }),
  Operator: outsideable({
    data: 'customOptions',
    offset: 'largeCustomOptionsOffset',
    size: 'largeCustomOptionsSize',
    mark: 'customOptionsOutside',
  }),
}

/**
 * Bytes that sit either in the table or behind the flatbuffer (schema version 3c). The model shows
 * one field of bytes, and a mark where they came from behind. Bytes in the table win, as they do in
 * the runtimes; an offset or size below 2 counts as none.
 */
function outsideable(names: Record<'data' | 'offset' | 'size' | 'mark', string>): Storage {
  return {
    fromFile: (tree, source) => {
      const { [names.offset]: offset, [names.size]: size, ...fields } = tree
      if (fields[names.data] !== null || !isPlace(offset) || !isPlace(size)) return fields
      const bytes = source.place.within(names.offset, () => viewOutside(source, offset, size))
      return { ...fields, [names.data]: bytes, [names.mark]: true }
    },
    toFile: (tree, outside) => {
      const { [names.mark]: mark, ...fields } = tree
      const bytes = fields[names.data]
      const stays = !(bytes instanceof Uint8Array) || bytes.length < SMALLEST_OUTSIDE
      if (stays || !(mark === true || outside)) return { fields }
      const size = BigInt(bytes.length)
      return {
        fields: {
          ...fields,
          [names.data]: null,
          [names.offset]: PLACE_TO_COME,
          [names.size]: size,
        },
        outside: { bytes, offsetField: names.offset },
      }
    },
  }
}

function isPlace(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= BigInt(SMALLEST_OUTSIDE)
}

function viewOutside(source: Source, offset: bigint, size: bigint): Uint8Array {
  if (offset + size > BigInt(source.size)) {
    source.fail(
      'corrupt',
      `data behind the flatbuffer (${size} bytes at byte ${offset}) ends beyond the file (${source.size} bytes): the file is truncated or damaged`,
    )
  }
  return source.view(Number(offset), Number(size))
}
