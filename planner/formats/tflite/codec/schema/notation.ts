/** The row notation of model-tables.ts at the type level: schema rows give typed objects without generated code. */

/** Words of a multi-line row, as a union. */
export type Word<S extends string> = S extends `${infer Head}\n${infer Tail}`
  ? Word<Head> | Word<Tail>
  : S extends `${infer Head} ${infer Tail}`
    ? Exclude<Head, ''> | Word<Tail>
    : Exclude<S, ''>

export function words(row: string): string[] {
  return row.split(/\s+/).filter((word) => word !== '')
}

/** What one schema field is, taken from its word in a row. */
export interface FieldWord {
  name: string
  /** Scalar, enum, table or union name, or `string`; the element type of a vector. */
  type: string
  vector: boolean
  align: number | null
  default: string | null
  emptyWhenAbsent: boolean
}

const FIELD =
  /^(?<name>\w+):(?<open>\[?)(?<type>\w+)\]?(?:@(?<align>\d+))?(?:=(?<default>-?\w+))?(?<bang>!?)$/

export function parseField(word: string): FieldWord {
  const groups = FIELD.exec(word)?.groups
  if (groups === undefined) throw new TypeError(`not a field of the schema notation: "${word}"`)
  return {
    name: groups.name ?? '',
    type: groups.type ?? '',
    vector: groups.open === '[',
    align: groups.align === undefined ? null : Number(groups.align),
    default: groups.default ?? null,
    emptyWhenAbsent: groups.bang === '!',
  }
}

/** `[ubyte]@16` → `[ubyte]`, `int=1` → `int`, `[int]!` → `[int]!` (the mark changes the type). */
export type TypeOf<W extends string> = W extends `${string}:${infer Type}` ? Bare<Type> : never
type Bare<T extends string> = T extends `${infer Type}@${string}`
  ? Type
  : T extends `${infer Type}=${string}`
    ? Type
    : T
export type NameOf<W extends string> = W extends `${infer Name}:${string}` ? Name : never
