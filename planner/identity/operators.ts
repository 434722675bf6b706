import { z } from 'zod'
import {
  newOperatorSecret,
  operatorSecretDigest,
  printOperatorToken,
} from '../../shared/identity/index.ts'
import { audit, type Db, operators, type StoredOperator } from '../storage/index.ts'
import { ROLES, type Role } from './roles.ts'

/** Who asks the planner for something, and what they may ask. */
export interface Operator {
  readonly name: string
  readonly role: Role
}

/** By a token that is good now. */
export interface KnownOperator extends Operator {
  /** Digest of its secret. */
  readonly id: string
  readonly expiresAt: Date | null
}

export interface NewOperator extends Operator {
  /** `null`: until it is revoked. */
  readonly lifetimeMs: number | null
  /** For the audit log. */
  readonly by: string
}

/** What every token of this planner says. */
export interface OperatorPlace {
  /** `https://host:port` */
  readonly planner: string
  readonly authority: string
}

/** A token for this operator. Its secret is nowhere but in the text that is returned. */
export async function addOperator(
  db: Db,
  place: OperatorPlace,
  { name, role, lifetimeMs, by }: NewOperator,
  now: Date,
): Promise<string> {
  const secret = newOperatorSecret()
  const expiresAt = lifetimeMs === null ? null : new Date(now.getTime() + lifetimeMs)
  const row = { id: operatorSecretDigest(secret), name, role, createdBy: by, expiresAt }
  await db.transaction().execute(async (trx) => {
    await operators.addOperator(trx, row, now)
    const detail = { role, expiresAt: expiresAt?.toISOString() ?? null }
    await audit.writeAudit(trx, { actor: by, action: 'operators.add', subject: name, detail }, now)
  })
  return printOperatorToken({ ...place, secret })
}

/** Who has this secret; `undefined` for one that is unknown, revoked or expired. */
export async function operatorWith(
  db: Db,
  secret: Uint8Array,
  now: Date,
): Promise<KnownOperator | undefined> {
  // Looked up by its digest: the time that takes says nothing about any secret.
  const stored = await operators.findOperator(db, operatorSecretDigest(secret))
  if (stored === undefined || !isGood(stored, now)) return undefined
  const { id, name, expiresAt } = stored
  return { id, name, role: roleOf(stored), expiresAt }
}

export function roleOf({ role }: StoredOperator): Role {
  return roleSchema.parse(role)
}

/** Takes every token from the operator; answers how many there were. */
export async function revokeOperator(db: Db, name: string, by: string, now: Date): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const ids = await operators.revokeOperators(trx, name, now)
    const detail = { tokens: ids.length }
    const entry = { actor: by, action: 'operators.revoke', subject: name, detail }
    if (ids.length > 0) await audit.writeAudit(trx, entry, now)
    return ids.length
  })
}

export function isGood({ revokedAt, expiresAt }: StoredOperator, now: Date): boolean {
  return revokedAt === null && (expiresAt === null || now < expiresAt)
}

const roleSchema = z.enum(ROLES)
