import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { errnoOf, isMissing } from '../artifacts/index.ts'
import { JournalError } from './errors.ts'
import type { FailPoints } from './fail-points.ts'
import { parseLine, printLine } from './journal-line.ts'
import { RECORDS, type RecordKind, type Records } from './records.ts'

/** Appended bytes after which the file is written anew, as a multiple of what it would then hold. */
const WASTE_FACTOR = 4
const LEAST_REWRITE_BYTES = 256 * 1024

const kinds = Object.keys(RECORDS) as [RecordKind, ...RecordKind[]]

const lineSchema = z.object({
  v: z.literal(1),
  changes: z.array(
    z.object({ kind: z.enum(kinds), key: z.string(), value: z.unknown().optional() }),
  ),
})

/** Without a value: the record is dropped. */
export type Change = {
  [K in RecordKind]: { readonly kind: K; readonly key: string; readonly value?: Records[K] }
}[RecordKind]

type Tables = { [K in RecordKind]: Map<string, Records[K]> }

/**
 * The agent's memory: small records by kind and key. A commit is one line, all of it or nothing, and
 * durable when `commit` returns; writing blocks the process on purpose, so that nothing can be done
 * before it is written down.
 */
export class Journal {
  readonly #path: string
  readonly #failPoints: FailPoints
  readonly #tables: Tables
  #file = -1
  #bytes = 0
  #liveBytes = 0
  /** Lines that were torn or spoiled when the journal was opened. */
  readonly damagedLines: number

  /** @throws JournalError when the file cannot be read or written */
  constructor(path: string, failPoints: FailPoints) {
    this.#path = path
    this.#failPoints = failPoints
    this.#tables = emptyTables()
    try {
      mkdirSync(dirname(path), { recursive: true })
      this.damagedLines = this.#open()
    } catch (error) {
      throw journalError(error, path)
    }
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

  /**
   * Writes all of it or nothing, then returns.
   * @param name of the transition, for fail points
   * @throws JournalError `disk-full`, `journal-failed`; nothing has changed then
   */
  commit(name: string, changes: readonly Change[]): void {
    this.#failPoints.reach(`${name}.before`)
    const line = Buffer.from(printLine({ v: 1, changes }))
    if (this.#failPoints.isArmed(`${name}.torn`)) {
      writeSync(this.#file, line, 0, line.length >> 1)
      fsyncSync(this.#file)
    }
    this.#failPoints.reach(`${name}.torn`)
    this.#append(line)
    for (const change of changes) this.#apply(change)
    this.#failPoints.reach(`${name}.after`)
    if (this.#bytes > Math.max(LEAST_REWRITE_BYTES, this.#liveBytes * WASTE_FACTOR)) this.#rewrite()
  }

  close(): void {
    if (this.#file >= 0) closeSync(this.#file)
    this.#file = -1
  }

  #append(line: Buffer): void {
    try {
      writeFully(this.#file, line)
      fsyncSync(this.#file)
      this.#bytes += line.length
    } catch (error) {
      // Half a line must not stand before the next whole one.
      ftruncateSync(this.#file, this.#bytes)
      throw journalError(error, this.#path)
    }
  }

  /** Reads what is whole, cuts the tail that a power cut tore, and leaves the file open for more. */
  #open(): number {
    const bytes = readIfPresent(this.#path)
    const end = bytes.lastIndexOf(0x0a) + 1
    const damaged = this.#load(bytes.toString('utf8', 0, end)) + (end < bytes.length ? 1 : 0)
    this.#file = openSync(this.#path, 'a', 0o600)
    ftruncateSync(this.#file, end)
    this.#bytes = end
    this.#liveBytes = [...this.#lines()].reduce((sum, line) => sum + line.length, 0)
    if (end === 0) syncDirectory(dirname(this.#path))
    return damaged
  }

  #load(text: string): number {
    let damaged = 0
    for (const line of text.split('\n')) {
      if (line === '') continue
      const parsed = lineSchema.safeParse(parseLine(line))
      if (!parsed.success) damaged += 1
      else for (const change of parsed.data.changes) damaged += this.#restore(change)
    }
    return damaged
  }

  /** 1 for a record that an older or newer agent wrote in another shape: it is left out, the rest stands. */
  #restore(change: { kind: RecordKind; key: string; value?: unknown }): 0 | 1 {
    if (change.value === undefined) {
      this.#tables[change.kind].delete(change.key)
      return 0
    }
    const parsed = RECORDS[change.kind].safeParse(change.value)
    if (!parsed.success) return 1
    // RECORDS ties kind and value together, which the compiler cannot follow through an index.
    this.#apply({ ...change, value: parsed.data } as Change)
    return 0
  }

  #apply(change: Change): void {
    const table = this.#tables[change.kind] as Map<string, unknown>
    if (change.value === undefined) table.delete(change.key)
    else table.set(change.key, change.value)
  }

  /** The live records alone, in a file of their own, renamed into place. */
  #rewrite(): void {
    this.#failPoints.reach('journal.rewrite.before')
    const draft = `${this.#path}.draft`
    try {
      const bytes = Buffer.from([...this.#lines()].join(''))
      const file = openSync(draft, 'w', 0o600)
      try {
        writeFully(file, bytes)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      const next = openSync(draft, 'a')
      renameSync(draft, this.#path)
      syncDirectory(dirname(this.#path))
      this.close()
      this.#file = next
      this.#bytes = bytes.length
      this.#liveBytes = bytes.length
    } catch {
      // Only tidying failed: the commit stands in the old file, and the next one tidies again.
      rmSync(draft, { force: true })
    }
    this.#failPoints.reach('journal.rewrite.after')
  }

  *#lines(): Generator<string> {
    for (const kind of kinds) {
      for (const [key, value] of this.#tables[kind]) {
        yield printLine({ v: 1, changes: [{ kind, key, value }] })
      }
    }
  }
}

/** A full disk first shows as a short write, not as an error. */
function writeFully(file: number, bytes: Buffer): void {
  let at = 0
  while (at < bytes.length) at += writeSync(file, bytes, at)
}

function readIfPresent(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isMissing(error)) return Buffer.alloc(0)
    throw error
  }
}

function emptyTables(): Tables {
  return Object.fromEntries(kinds.map((kind) => [kind, new Map()])) as unknown as Tables
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

function journalError(error: unknown, path: string): JournalError {
  if (error instanceof JournalError) return error
  const errno = errnoOf(error)
  return errno === 'ENOSPC' || errno === 'EDQUOT'
    ? new JournalError(
        'disk-full',
        `no room to write ${path}: free some space on its file system`,
        { errno },
        { cause: error },
      )
    : new JournalError(
        'journal-failed',
        `cannot write ${path} (${errno ?? String(error)}): is the state directory writable?`,
        { errno },
        { cause: error },
      )
}
