import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Db, keptAnswers } from '../../storage/index.ts'
import { ApiError, ShapeError } from '../contract/errors.ts'
import type { Reply } from './replies.ts'

const HOUR_MS = 3_600_000
const KEPT_MS = 24 * HOUR_MS
/** Longer answers are not kept: who asks again is told that it was done. */
const MOST_KEPT_CHARACTERS = 256 * 1024

interface Asking {
  readonly caller: string
  /** Method, path and body. */
  readonly asked: readonly string[]
  /** The answer holds what is told once. */
  readonly isSecret: boolean
}

/** @throws ShapeError for a key that is none */
export function keyIn(request: IncomingMessage): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\x21-\x7e]{1,128}$/.test(key)) return key
  throw new ShapeError('request', [
    { path: 'Idempotency-Key', message: '1 to 128 printable characters without spaces' },
  ])
}

/**
 * Does it once for a key: who asks again with the same key gets the answer of the first time. What failed is done again.
 * @throws ApiError `key-reused`, `in-progress`, `already-done`
 */
export async function once(
  db: Db,
  key: string,
  { caller, asked, isSecret }: Asking,
  now: Date,
  work: () => Promise<Reply>,
): Promise<Reply> {
  const name = { caller, key }
  const digest = createHash('sha256').update(asked.join('\n')).digest('hex')
  await keptAnswers.forgetOldKeys(db, new Date(now.getTime() - KEPT_MS))
  const known = await keptAnswers.takeKey(db, name, digest, now)
  if (known !== undefined) return answerOf(known, digest, key)
  try {
    const reply = await work()
    const isKept = !isSecret && reply.body.length <= MOST_KEPT_CHARACTERS
    await keptAnswers.keepAnswer(db, name, { ...reply, body: isKept ? reply.body : null })
    return reply
  } catch (error) {
    await keptAnswers.giveKeyBack(db, name)
    throw error
  }
}

function answerOf(known: keptAnswers.KeptAnswer, digest: string, key: string): Reply {
  const { asked, status, body } = known
  if (asked !== digest) {
    throw new ApiError(
      'key-reused',
      `the idempotency key ${key} was used for something else: take another`,
    )
  }
  if (status === null) {
    throw new ApiError(
      'in-progress',
      `what was asked with the idempotency key ${key} is still being done`,
    )
  }
  if (body === null) {
    throw new ApiError(
      'already-done',
      `what was asked with the idempotency key ${key} was done, and its answer is told once`,
    )
  }
  return { status, body }
}
