import { z } from 'zod'
import { parseLine, printLine } from './journal-line.ts'
import { RECORDS, type RecordKind, type Records } from './records.ts'

const kinds = Object.keys(RECORDS) as [RecordKind, ...RecordKind[]]

const lineSchema = z.object({
  v: z.literal(1),
  changes: z.array(
    z.object({ kind: z.enum(kinds), key: z.string(), value: z.unknown().optional() }),
  ),
})
type RawChange = z.infer<typeof lineSchema>['changes'][number]

/** Without a value: the record is dropped. */
export type Change = {
  [K in RecordKind]: { readonly kind: K; readonly key: string; readonly value?: Records[K] }
}[RecordKind]

type Tables = { [K in RecordKind]: Map<string, Records[K]> }

/** What a journal says, read line by line: the last word on every record. */
export class JournalTables {
  readonly #tables: Tables
  /** Lines and records that could not be used. */
  readonly damaged: number

  constructor(text: string) {
    this.#tables = Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as unknown as Tables
    this.damaged = text
      .split('\n')
      .filter((line) => line !== '')
      .reduce((damaged, line) => damaged + this.#load(line), 0)
  }

  get<K extends RecordKind>(kind: K, key: string): Records[K] | undefined {
    return this.#tables[kind].get(key)
  }

  /** In the order in which they were first written. */
  all<K extends RecordKind>(kind: K): Records[K][] {
    return [...this.#tables[kind].values()]
  }

  keys(kind: RecordKind): string[] {
    return [...this.#tables[kind].keys()]
  }

  apply(change: Change): void {
    const table = this.#tables[change.kind] as Map<string, unknown>
    if (change.value === undefined) table.delete(change.key)
    else table.set(change.key, change.value)
  }

  /** A journal that says the same and nothing twice. */
  *lines(): Generator<string> {
    for (const kind of kinds) {
      for (const [key, value] of this.#tables[kind]) {
        yield printLine({ v: 1, changes: [{ kind, key, value }] })
      }
    }
  }

  #load(line: string): number {
    const parsed = lineSchema.safeParse(parseLine(line))
    if (!parsed.success) return 1
    return parsed.data.changes.reduce((damaged, change) => damaged + this.#restore(change), 0)
  }

  /** 1 for a record that another version wrote in another shape: it is left out, the rest stands. */
  #restore({ kind, key, value }: RawChange): 0 | 1 {
    const parsed = value === undefined ? undefined : RECORDS[kind].safeParse(value)
    if (parsed && !parsed.success) return 1
    // RECORDS ties kind and value together, which the compiler cannot follow through an index.
    this.apply({ kind, key, value: parsed?.data } as Change)
    return 0
  }
}
