import { createHash, randomBytes } from 'node:crypto'
import { type Db, operators, sessions } from '../storage/index.ts'
import { isGood, type Operator, operatorWith, roleOf } from './operators.ts'

const HOUR_MS = 3_600_000
/** A page is left open over a shift, not over a week. */
const SESSION_MS = 12 * HOUR_MS
const SECRET_BYTES = 32

export interface OpenedSession extends Operator {
  /** For the cookie; kept nowhere else. */
  readonly secret: string
  readonly expiresAt: Date
}

export interface Session extends Operator {
  readonly expiresAt: Date
}

/** A session in place of a token; it ends with it. `undefined` for a token that is unknown, revoked or expired. */
export async function openSession(
  db: Db,
  tokenSecret: Uint8Array,
  now: Date,
): Promise<OpenedSession | undefined> {
  const operator = await operatorWith(db, tokenSecret, now)
  if (operator === undefined) return undefined
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  const latest = new Date(now.getTime() + SESSION_MS)
  const { id, expiresAt: ends } = operator
  const expiresAt = ends !== null && ends < latest ? ends : latest
  await sessions.openSession(db, { id: idOf(secret), operator: id, openedAt: now, expiresAt })
  return { name: operator.name, role: operator.role, secret, expiresAt }
}

/** `undefined` once it is over, or its operator's token is good no more. */
export async function sessionWith(db: Db, secret: string, now: Date): Promise<Session | undefined> {
  const session = await sessions.findSession(db, idOf(secret))
  if (session === undefined || session.expiresAt <= now) return undefined
  const operator = await operators.findOperator(db, session.operator)
  if (operator === undefined || !isGood(operator, now)) return undefined
  return { name: operator.name, role: roleOf(operator), expiresAt: session.expiresAt }
}

export async function closeSession(db: Db, secret: string): Promise<void> {
  await sessions.closeSession(db, idOf(secret))
}

/** Random and long: one hash is as good as many. */
function idOf(secret: string): string {
  return createHash('sha256').update('fitment/1/session\0').update(secret).digest('hex')
}
