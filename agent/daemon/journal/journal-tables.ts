import { z } from 'zod'
import { isOneOf, openWord } from '../../../shared/open-words.ts'
import { parseLine, printLine } from './journal-line.ts'
import { RECORDS, type RecordKind, type Records } from './records.ts'

const kinds = Object.keys(RECORDS) as [RecordKind, ...RecordKind[]]

const lineSchema = z.object({
  v: z.literal(1),
  changes: z.array(
    z.object({ kind: openWord(kinds), key: z.string(), value: z.unknown().optional() }),
  ),
})
type RawChange = z.infer<typeof lineSchema>['changes'][number]

/** Without a value: the record is dropped. */
export type Change = {
  [K in RecordKind]: { readonly kind: K; readonly key: string; readonly value?: Records[K] }
}[RecordKind]

type Foreign = RawChange & { readonly value: unknown }

type Tables = { [K in RecordKind]: Map<string, Records[K]> }

/** What a journal says, read line by line: the last word on every record. */
export class JournalTables {
  readonly #tables: Tables
  /** Records of other versions of the agent, as they were written: kept for when that version runs again. */
  readonly #foreign = new Map<string, Foreign>()
  /** Lines that could not be used. */
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
    this.#foreign.delete(placeOf(change))
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
    for (const change of this.#foreign.values()) yield printLine({ v: 1, changes: [change] })
  }

  #load(line: string): number {
    const parsed = lineSchema.safeParse(parseLine(line))
    if (!parsed.success) return 1
    for (const change of parsed.data.changes) this.#restore(change)
    return 0
  }

  #restore(change: RawChange): void {
    const { kind, key, value } = change
    const known = isOneOf(kinds, kind) ? kind : undefined
    const parsed = known && value !== undefined ? RECORDS[known].safeParse(value) : undefined
    if (known && (value === undefined || parsed?.success)) {
      // RECORDS ties kind and value together, which the compiler cannot follow through an index.
      this.apply({ kind: known, key, value: parsed?.data } as Change)
      return
    }
    this.#foreign.delete(placeOf(change))
    if (value !== undefined) this.#foreign.set(placeOf(change), { kind, key, value })
  }
}

function placeOf({ kind, key }: Pick<RawChange, 'kind' | 'key'>): string {
  return `${kind} ${key}`
}
