import { AppError, oneLine, reasonOf } from '../../../../shared/errors.ts'
import { fieldOf } from '../../../../shared/open-words.ts'
import { StorageError, type StorageErrorCode } from '../../errors.ts'
import { SlowError } from './patience.ts'

/** What S3 said, as far as it said anything. */
interface Answer {
  readonly status: number | undefined
  /** `SlowDown`, `AccessDenied` … */
  readonly word: string
  readonly text: string
}

interface Refusal {
  readonly code: StorageErrorCode
  readonly what: string
}

const CREDENTIALS: Refusal = {
  code: 'store-refused',
  what: 'does not know these credentials: look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile',
}
const REGION: Refusal = {
  code: 'store-refused',
  what: 'lies in another region: set AWS_REGION',
}

/** What no second try would mend, in words of what to do. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  NoSuchBucket: { code: 'store-refused', what: 'is no bucket: make it, or correct --artifacts' },
  AccessDenied: {
    code: 'store-refused',
    what: 'forbids it: these credentials need s3:GetObject, s3:PutObject and s3:DeleteObject there',
  },
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  ExpiredToken: { code: 'store-refused', what: 'finds these credentials expired: get new ones' },
  CredentialsProviderError: {
    code: 'store-refused',
    what: 'needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  },
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  RequestTimeTooSkewed: {
    code: 'store-refused',
    what: 'finds this machine’s clock too far off: set the clock',
  },
  QuotaExceeded: { code: 'full', what: 'is full: free some and try again' },
}

/** Words that stand for a status where S3 answers without any. */
const BY_STATUS: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  403: 'AccessDenied',
  507: 'QuotaExceeded',
}

const NO_REGION = /region is missing/i

/** Whether it may do better the next time. */
export function isPassing(error: unknown): boolean {
  if (error instanceof AppError) return false
  const { status, word, text } = answerOf(error)
  if (word in REFUSALS || NO_REGION.test(text)) return false
  return status === undefined || status < 400 || status === 408 || status === 429 || status >= 500
}

/** How long it asks to be left alone, ms. */
export function askedPause(error: unknown): number {
  const response = fieldOf(error, '$response')
  const seconds = Number(fieldOf(fieldOf(response, 'headers'), 'retry-after'))
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}

/** A 404 in other words is no word on the object: a proxy, or a user that S3 does not find. `NotFound`: a HEAD has no body. */
export function isNoSuchKey(error: unknown): boolean {
  const { word } = answerOf(error)
  return word === 'NoSuchKey' || word === 'NotFound'
}

/** One line for people: which place, what is wrong, what to do. */
export function refusalOf(name: string, error: unknown): AppError {
  if (error instanceof AppError) return error
  const { status, word, text } = answerOf(error)
  const known = REFUSALS[word]
  const said = [status, word].filter((one) => one !== undefined && one !== '').join(' ')
  if (known) return refused(known.code, `${name} ${known.what} (${said})`, error)
  if (NO_REGION.test(text)) {
    return refused('store-refused', `${name} needs a region: set AWS_REGION`, error)
  }
  if (!isPassing(error)) {
    return refused('store-refused', `${name} refused it: ${said} ${text}`, error)
  }
  const why = status === undefined ? text : `it answers ${said}`
  return refused('unreachable', `${name} cannot be used now: ${why}`, error, { status })
}

function refused(
  code: StorageErrorCode,
  message: string,
  cause: unknown,
  details: Readonly<Record<string, unknown>> = {},
): StorageError {
  return new StorageError(code, message, details, { cause })
}

function answerOf(error: unknown): Answer {
  const given =
    fieldOf(fieldOf(error, '$metadata'), 'httpStatusCode') ??
    fieldOf(fieldOf(error, '$response'), 'statusCode')
  const status = typeof given === 'number' ? given : undefined
  const name = fieldOf(error, 'name')
  const own = typeof name === 'string' && !NO_WORDS.has(name) ? name : ''
  const word = own in REFUSALS || status === undefined ? own : (BY_STATUS[status] ?? own)
  return {
    status,
    word: status === undefined && !(own in REFUSALS) ? '' : word,
    text: textOf(error),
  }
}

/** What the client calls an answer that has no word of its own. */
const NO_WORDS: ReadonlySet<string> = new Set(['Error', 'UnknownError', 'Unknown', 'SyntaxError'])

function textOf(error: unknown): string {
  if (error instanceof SlowError) return error.message
  const cause = error instanceof Error && error.cause instanceof SlowError ? error.cause : error
  return oneLine(reasonOf(cause)).slice(0, 200)
}
