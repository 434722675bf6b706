/** Base of every error a user may see: one line that says what is wrong and what to do. */
export abstract class AppError extends Error {
  abstract readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(oneLine(message), options)
    this.name = new.target.name
    this.details = details
  }
}

/** The caller gave something that cannot be used: a bad flag, a missing file, a value out of range. */
export class UsageError extends AppError {
  readonly code = 'usage'
}

/** A bug of ours, never of the user's input. */
export class InvariantError extends AppError {
  readonly code = 'invariant'
}

export function invariant(condition: unknown, law: string): asserts condition {
  if (!condition) throw new InvariantError(`broken invariant: ${law}`)
}

export function unreachable(value: never): never {
  throw new InvariantError(`unreachable case: ${JSON.stringify(value)}`)
}

/** What a damaged or hostile file puts into a message must neither break the line nor steer a terminal. */
export function oneLine(text: string): string {
  return text
    .replace(/\s*[\r\n\u2028\u2029]\s*/g, ' ')
    .replace(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** What the operating system calls it: `ENOENT`, `EACCES`, … */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** Whether no file has that name, be it for want of a folder. */
export function isMissing(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR'
}

/** Whether the file system had no room, or the user no more of it. */
export function isDiskFull(error: unknown): boolean {
  return errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT'
}

/** What stands in the way of a file or a connection, by errno(3). */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAI_AGAIN: 'names cannot be looked up now',
  EBUSY: 'it is in use',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the other side broke off',
  EDQUOT: 'the quota of this user is used up',
  EEXIST: 'something of that name is there',
  EHOSTUNREACH: 'no way leads there',
  EINVAL: 'that cannot be done with it',
  EIO: 'the disk failed',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENETUNREACH: 'no way leads there',
  ENFILE: 'too many files are open',
  ENODEV: 'no device is there',
  ENOENT: 'there is no such file',
  ENOSPC: 'no room is left on the disk',
  ENOTDIR: 'what its path names as a folder is none',
  ENOTFOUND: 'no such name is known',
  ENOTEMPTY: 'the folder is not empty',
  ENXIO: 'no device is there',
  EPERM: 'this user may not',
  EROFS: 'the file system is read-only',
  ETIMEDOUT: 'no answer came',
  ETXTBSY: 'it is running',
  EXDEV: 'it is on another file system',
}

/** Whether it is the operating system that refused, rather than a program of ours. */
export function isSystemFailure(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && Object.hasOwn(REASONS, errnoOf(error) ?? '')
}

/** The file, or the other end, that a failure of the system is about. */
export function placeOf(error: NodeJS.ErrnoException): string | undefined {
  const { path, hostname, address, port } = error as NodeJS.ErrnoException & {
    readonly hostname?: string
    readonly address?: string
    readonly port?: number
  }
  const host = hostname ?? address
  return path ?? (host !== undefined && port !== undefined ? `${host}:${port}` : host)
}

/** Why, in one line, for who names the file: `there is no such file (ENOENT)`. */
export function reasonOf(error: unknown): string {
  return isSystemFailure(error) ? `${REASONS[error.code ?? '']} (${error.code})` : messageOf(error)
}

/** The one line of any thrown value, in words of ours: what parsers and the operating system say is for us, not for users. */
export function messageOf(error: unknown): string {
  if (isSystemFailure(error)) {
    const place = placeOf(error)
    return `${REASONS[error.code ?? '']} (${error.code}${place === undefined ? '' : ` ${place}`})`
  }
  if (errnoOf(error)?.startsWith('ERR_OSSL')) return NO_KEY
  return issuesOf(error) ?? (error instanceof Error ? error.message : String(error))
}

/** OpenSSL says `error:1E08010C:DECODER routines::unsupported`. */
const NO_KEY = 'no key or certificate in PEM is in it, or it is sealed otherwise'

const MOST_ISSUES = 3

/** Of a schema's error, whose own message is a text of JSON; told by its form, so that no thread loads a schema library for it. */
function issuesOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('issues' in error)) return undefined
  if (!Array.isArray(error.issues) || error.issues.length === 0) return undefined
  const issues: readonly { path?: readonly PropertyKey[]; message?: string }[] = error.issues
  const said = issues.slice(0, MOST_ISSUES).map(({ path = [], message = '' }) => {
    const place = path.map(String).join('.')
    return place === '' ? message : `${place} ${message}`
  })
  const more = issues.length - said.length
  return oneLine(`${said.join('; ')}${more > 0 ? `; and ${more} more` : ''}`)
}
