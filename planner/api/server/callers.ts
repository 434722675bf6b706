import type { IncomingMessage } from 'node:http'
import { parseOperatorToken } from '../../../shared/identity/index.ts'
import { isAtLeast, operatorWith, type Role, sessionWith } from '../../identity/index.ts'
import type { Db } from '../../storage/index.ts'
import { ApiError } from '../contract/errors.ts'
import { cookieSecretOf, refuseOtherSites } from './session-cookie.ts'

/** Who asks: everybody on the socket is its owner; from elsewhere, whoever the token or the session names. */
export interface Caller {
  readonly actor: string
  readonly role: Role
  /** Without an end: null. */
  readonly expiresAt: Date | null
  /** Whether a request that lasts may go on. */
  isStillKnown(): Promise<boolean>
}

/** The way a request came. */
export interface Channel {
  readonly kind: 'socket' | 'tcp'
  readonly isTls: boolean
}

interface Registry {
  readonly db: Db
  readonly now: () => Date
}

export const NOBODY =
  'the planner knows no such token: it was revoked, has expired, or is another planner’s; ask an admin for a new one'
const NO_SESSION =
  'the session is over, or its token was revoked or has expired: log in with a token again'
const NO_TOKEN =
  'who asks from elsewhere needs a token of fitment operators add, as Authorization: Bearer TOKEN or by a session'

/** @throws ApiError `not-known`, `cross-site` */
export async function callerOf(
  request: IncomingMessage,
  channel: Channel,
  registry: Registry,
): Promise<Caller> {
  if (channel.kind === 'socket') return ownerOf(request)
  const { authorization } = request.headers
  if (authorization !== undefined) return await bearerOf(authorization, registry)
  const secret = cookieSecretOf(request, channel)
  if (secret === undefined) throw new ApiError('not-known', NO_TOKEN)
  refuseOtherSites(request)
  const find = () => sessionWith(registry.db, secret, registry.now())
  const session = await find()
  if (session === undefined) throw new ApiError('not-known', NO_SESSION)
  return {
    ...{ actor: `operator:${session.name}`, role: session.role, expiresAt: session.expiresAt },
    isStillKnown: async () => (await find()) !== undefined,
  }
}

/** @throws ApiError `forbidden` */
export function requireRole({ role, actor }: Caller, name: string, least: Role): void {
  if (isAtLeast(role, least)) return
  throw new ApiError(
    'forbidden',
    `${name} needs the role ${least}, and ${actor} has the role ${role}: ask an admin for a token`,
  )
}

async function bearerOf(authorization: string, { db, now }: Registry): Promise<Caller> {
  const secret = secretIn(/^Bearer ([\w-]{20,1024})$/.exec(authorization)?.[1] ?? '')
  const find = () => operatorWith(db, secret, now())
  const operator = await find()
  if (operator === undefined) throw new ApiError('not-known', NOBODY)
  return {
    actor: `operator:${operator.name}`,
    role: operator.role,
    expiresAt: operator.expiresAt,
    isStillKnown: async () => (await find()) !== undefined,
  }
}

/** The secret alone, as `fitment` sends it, or the whole token, as people have it. */
export function secretIn(text: string): Uint8Array {
  if (!text.startsWith('fitop1_')) return Buffer.from(text, 'base64url')
  try {
    return parseOperatorToken(text).secret
  } catch {
    throw new ApiError('not-known', NOBODY)
  }
}

/** Who says it; on a socket that only its owner opens, the name is believed. */
function ownerOf(request: IncomingMessage): Caller {
  const said = request.headers['x-fitment-actor']
  const isName = typeof said === 'string' && /^[\w.@:-]{1,64}$/.test(said)
  const actor = isName ? said : 'cli:unknown'
  return { actor, role: 'admin', expiresAt: null, isStillKnown: async () => true }
}
