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
import { errnoOf, isDiskFull, isMissing } from '../../../shared/errors.ts'
import type { FailPoints } from '../../../shared/fail-points.ts'
import { JournalError } from '../errors.ts'
import type { CommitName } from './commit-names.ts'
import { printLine } from './journal-line.ts'
import { type Change, JournalTables } from './journal-tables.ts'
import type { RecordKind, Records } from './records.ts'

/** Appended bytes after which the file is written anew, as a multiple of what it would then hold. */
const WASTE_FACTOR = 4
const LEAST_REWRITE_BYTES = 64 * 1024

/** What a reader of the journal sees. */
export type JournalView = Pick<JournalTables, 'get' | 'all' | 'keys'>

/** The journal as another process left it; writes nothing. A file that is not there is an empty one. */
export function readJournal(path: string): JournalView {
  return new JournalTables(readIfPresent(path).toString('utf8'))
}

/**
 * The agent's memory: small records by kind and key. A commit is one line, all of it or nothing, and
 * durable when `commit` returns; writing blocks the process on purpose, so that nothing can be done
 * before it is written down.
 */
export class Journal implements JournalView {
  readonly #path: string
  readonly #failPoints: FailPoints
  readonly #tables: JournalTables
  #file: number
  #bytes: number
  #liveBytes: number
  /** Lines that were torn or spoiled when the journal was opened. */
  readonly damagedLines: number

  /** @throws JournalError when the file cannot be read or written */
  constructor(path: string, failPoints: FailPoints) {
    this.#path = path
    this.#failPoints = failPoints
    try {
      mkdirSync(dirname(path), { recursive: true })
      const bytes = readIfPresent(path)
      const end = bytes.lastIndexOf(0x0a) + 1
      this.#tables = new JournalTables(bytes.toString('utf8', 0, end))
      this.damagedLines = this.#tables.damaged + (end < bytes.length ? 1 : 0)
      this.#file = openSync(path, 'a', 0o600)
      // The tail that a power cut tore must not stand before the next whole line.
      ftruncateSync(this.#file, end)
      if (end === 0) syncDirectory(dirname(path))
      this.#bytes = end
      this.#liveBytes = [...this.#tables.lines()].reduce((sum, line) => sum + line.length, 0)
    } catch (error) {
      throw journalError(error, path)
    }
  }

  get<K extends RecordKind>(kind: K, key: string): Records[K] | undefined {
    return this.#tables.get(kind, key)
  }

  all<K extends RecordKind>(kind: K): Records[K][] {
    return this.#tables.all(kind)
  }

  keys(kind: RecordKind): string[] {
    return this.#tables.keys(kind)
  }

  /**
   * Writes all of it or nothing, then returns.
   * @param name of the transition, for fail points
   * @throws JournalError `disk-full`, `journal-failed`; nothing has changed then
   */
  commit(name: CommitName, changes: readonly Change[]): void {
    this.#failPoints.reach(`${name}.before`)
    const line = Buffer.from(printLine({ v: 1, changes }))
    if (this.#failPoints.isArmed(`${name}.torn`)) {
      writeSync(this.#file, line, 0, line.length >> 1)
      fsyncSync(this.#file)
    }
    this.#failPoints.reach(`${name}.torn`)
    this.#append(line)
    for (const change of changes) this.#tables.apply(change)
    this.#failPoints.reach(`${name}.after`)
    if (this.#bytes > Math.max(LEAST_REWRITE_BYTES, this.#liveBytes * WASTE_FACTOR)) this.#rewrite()
  }

  close(): void {
    closeSync(this.#file)
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

  /** The live records alone, in a file of their own, renamed into place. */
  #rewrite(): void {
    this.#failPoints.reach('journal.rewrite.before')
    const draft = `${this.#path}.draft`
    try {
      const bytes = Buffer.from([...this.#tables.lines()].join(''))
      const file = openSync(draft, 'w', 0o600)
      try {
        writeFully(file, bytes)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      const next = openSync(draft, 'a')
      renameSync(draft, this.#path)
      closeSync(this.#file)
      this.#file = next
      this.#bytes = bytes.length
      this.#liveBytes = bytes.length
      syncDirectory(dirname(this.#path))
    } catch {
      // Only tidying failed: the commit stands in the old file, and a later one tidies again.
      rmSync(draft, { force: true })
    }
    this.#failPoints.reach('journal.rewrite.after')
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

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

function journalError(error: unknown, path: string): JournalError {
  const errno = errnoOf(error)
  const isFull = isDiskFull(error)
  const message = isFull
    ? `no room to write ${path}: free some space on its file system`
    : `cannot write ${path} (${errno ?? String(error)}): is the state directory writable?`
  return new JournalError(
    isFull ? 'disk-full' : 'journal-failed',
    message,
    { errno },
    { cause: error },
  )
}
