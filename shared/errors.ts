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

/** The one line of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
