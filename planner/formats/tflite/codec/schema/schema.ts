import { invariant } from '../../../../../shared/errors.ts'
import { ENUMS } from './enums.ts'
import { MODEL_TABLES } from './model-tables.ts'
import {
  type FieldWord,
  type NameOf,
  parseField,
  type TypeOf,
  type Word,
  words,
} from './notation.ts'
import { FIELDLESS, OPTIONS_TABLES } from './options-tables.ts'
import { OPTIONS2_TABLES } from './options2-tables.ts'
import {
  type AnyScalar,
  isScalar,
  type ScalarName,
  type ScalarValue,
  scalarOf,
  type VectorValue,
} from './scalars.ts'
import { UNIONS } from './unions.ts'

const ROWS = { ...MODEL_TABLES, ...OPTIONS_TABLES, ...OPTIONS2_TABLES }
type Rows = typeof MODEL_TABLES & typeof OPTIONS_TABLES & typeof OPTIONS2_TABLES

export type EnumName = keyof typeof ENUMS
/** Names of an enum's values, e.g. `EnumValue<'Padding'>` = `'SAME' | 'VALID'`. */
export type EnumValue<Name extends EnumName> = Exclude<Word<(typeof ENUMS)[Name]>, `${ScalarName}:`>
export type UnionName = keyof typeof UNIONS
/** Member tables of a union. */
export type UnionMember<Name extends UnionName> = Word<(typeof UNIONS)[Name]>
export type TableName = keyof Rows | Word<typeof FIELDLESS>

type Value<T extends string> = T extends `[${infer Element}]!`
  ? NonNullable<Value<`[${Element}]`>>
  : T extends `[${infer Element}]`
    ?
        | (Element extends ScalarName
            ? VectorValue<Element>
            : Element extends EnumName
              ? EnumValue<Element>[]
              : Element extends TableName
                ? TableValue<Element>[]
                : string[])
        | null
    : T extends ScalarName
      ? ScalarValue<T>
      : T extends EnumName
        ? EnumValue<T>
        : T extends UnionName
          ? UnionValue<T> | null
          : T extends TableName
            ? TableValue<T> | null
            : string | null

/** A table of the schema as a typed object. */
export type TableValue<Name extends TableName> = Name extends keyof Rows
  ? { [W in Word<Rows[Name]> as NameOf<W>]: Value<TypeOf<W>> }
  : Record<never, never>
/** A member of a union: its table with the member's name as `type`. */
export type UnionValue<Name extends UnionName> = {
  [Member in UnionMember<Name> & TableName]: { type: Member } & TableValue<Member>
}[UnionMember<Name> & TableName]

/** A table as the generic codec sees it: field names to values. */
export type Tree = Record<string, unknown>

export interface EnumType {
  name: EnumName
  names: readonly string[]
  codes: ReadonlyMap<string, number>
  storage: AnyScalar
}

export interface UnionType {
  name: UnionName
  /** Index = tag; 0 is NONE. */
  members: readonly TableName[]
}

export type FieldType =
  | { kind: 'scalar'; scalar: AnyScalar }
  | { kind: 'enum'; enum: EnumType }
  | { kind: 'string' }
  | { kind: 'table'; table: TableName }
  | { kind: 'union'; union: UnionType }

export type Field = Omit<FieldWord, 'type' | 'default'> & {
  /** Index in the vtable; the value of a union sits in the slot after its tag. */
  slot: number
  type: FieldType
  /** Value of an absent field. */
  default: unknown
}

export interface Table {
  name: TableName
  fields: readonly Field[]
  fieldNames: ReadonlySet<string>
  slots: number
}

export const enumTypes = mapRows(ENUMS, (name, row): EnumType => {
  const [storage = '', ...names] = words(row)
  const scalar = storage.slice(0, -1)
  invariant(isScalar(scalar), `enum ${name} names its storage type`)
  const codes = new Map(names.map((value, code) => [value, code]))
  return { name, names, codes, storage: scalarOf(scalar) }
})

const unionTypes = mapRows(UNIONS, (name, row): UnionType => {
  return { name, members: ['NONE', ...words(row)] as TableName[] }
})

const fieldless = Object.fromEntries(words(FIELDLESS).map((name) => [name, '']))

export const tables = mapRows(
  { ...ROWS, ...fieldless } as Record<TableName, string>,
  (name, row): Table => {
    let slots = 0
    const fields = words(row).map((word) => {
      const field = fieldOf(parseField(word), slots)
      slots += field.type.kind === 'union' ? 2 : 1
      return field
    })
    return { name, fields, fieldNames: new Set(fields.map((field) => field.name)), slots }
  },
)

function fieldOf(word: FieldWord, slot: number): Field {
  const type = typeOf(word.type)
  return { ...word, slot, type, default: defaultOf(word, type) }
}

function typeOf(name: string): FieldType {
  if (name === 'string') return { kind: 'string' }
  if (isScalar(name)) return { kind: 'scalar', scalar: scalarOf(name) }
  if (Object.hasOwn(ENUMS, name)) return { kind: 'enum', enum: enumTypes[name as EnumName] }
  if (Object.hasOwn(UNIONS, name)) return { kind: 'union', union: unionTypes[name as UnionName] }
  invariant(
    Object.hasOwn(ROWS, name) || Object.hasOwn(fieldless, name),
    `${name} is a type of the schema`,
  )
  return { kind: 'table', table: name as TableName }
}

function defaultOf(word: FieldWord, type: FieldType): unknown {
  if (word.vector || (type.kind !== 'scalar' && type.kind !== 'enum')) return null
  if (type.kind === 'enum') return word.default ?? type.enum.names[0]
  if (word.default === null) return type.scalar.zero
  return typeof type.scalar.zero === 'boolean' ? word.default === 'true' : Number(word.default)
}

function mapRows<Name extends string, T>(
  rows: Readonly<Record<Name, string>>,
  build: (name: Name, row: string) => T,
): Readonly<Record<Name, T>> {
  const entries = Object.entries(rows) as [Name, string][]
  return Object.fromEntries(entries.map(([name, row]) => [name, build(name, row)])) as Record<
    Name,
    T
  >
}
