import { messageOf } from '../../shared/errors.ts'
import { fieldOf } from '../../shared/open-words.ts'
import { StorageError, type StorageErrorCode } from './errors.ts'

interface Cause {
  readonly code: StorageErrorCode
  /** What is wrong, and what to do. */
  readonly words: string
}

const NO_ROOM = 'no room is left on its disk: free some, nothing was lost'
const NOT_WRITABLE =
  'it cannot be written: its disk is mounted read-only, or it belongs to another user'

/** Result codes (sqlite.org/rescode.html) by what they mean for who runs a planner. */
const CAUSES: Readonly<Record<string, Cause>> = {
  SQLITE_FULL: { code: 'full', words: NO_ROOM },
  SQLITE_READONLY: { code: 'unusable', words: NOT_WRITABLE },
  SQLITE_PERM: { code: 'unusable', words: NOT_WRITABLE },
  SQLITE_AUTH: { code: 'unusable', words: NOT_WRITABLE },
  SQLITE_CANTOPEN: {
    code: 'unusable',
    words: 'it cannot be opened: its folder is not there, or belongs to another user',
  },
  // The index of the write-ahead log could not be enlarged; before its kind, which would take it.
  SQLITE_IOERR_SHMSIZE: { code: 'full', words: NO_ROOM },
  SQLITE_IOERR: { code: 'unusable', words: 'its disk fails: look at the system log' },
  SQLITE_PROTOCOL: {
    code: 'unusable',
    words: 'its file system has no locks, as many network file systems: choose a local disk',
  },
  SQLITE_NOTADB: {
    code: 'unreadable',
    words: 'it is no database: move it away or restore it from a backup',
  },
  SQLITE_CORRUPT: {
    code: 'unreadable',
    words: 'it is damaged: move it away or restore it from a backup',
  },
}

/** The driver tells no code where it cannot even open a file, but the number. */
const CANNOT_OPEN = /unable to open.*: 14\b/i

/** What a failure of the database means; undefined where it is nothing of the disk's. */
export function causeOf(error: unknown): Cause | undefined {
  if (CANNOT_OPEN.test(messageOf(error))) return CAUSES.SQLITE_CANTOPEN
  const code = fieldOf(error, 'code')
  if (typeof code !== 'string') return undefined
  // SQLITE_IOERR_WRITE and its like are kinds of one.
  return Object.entries(CAUSES).find(([name]) => code === name || code.startsWith(`${name}_`))?.[1]
}

/** The same as an error that names the file; the given one where nothing is known of it. */
export function inUsersWords(error: unknown, path: string): unknown {
  const cause = causeOf(error)
  if (cause === undefined) return error
  return new StorageError(cause.code, `${path}: ${cause.words}`, { path }, { cause: error })
}
