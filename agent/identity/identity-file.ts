import { readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { digestSchema } from '../../shared/digest-schema.ts'
import { errnoOf, isMissing, reasonOf } from '../../shared/errors.ts'
import { IdentityError, writeOwnerOnly } from '../../shared/identity/index.ts'
import { deviceIdSchema, fleetSchema } from '../../shared/ids.ts'
import { parseJson } from '../../shared/json.ts'

/**
 * Who this device is, and whom it believes: one file, so that key and certificate change together. PEM
 * texts; the private key was made here and never leaves. Fields of a later version outlive a renewal by this one.
 */
const identitySchema = z.looseObject({
  v: z.literal(1),
  broker: z.string(),
  /** Where certificates are asked for, if that is another listener. */
  door: z.string().optional(),
  fleet: fleetSchema,
  device: deviceIdSchema,
  /** Digest of the trust anchor: `sha256:…`. */
  trust: z.string(),
  authority: z.string(),
  certificate: z.string(),
  key: z.string(),
  /** The token that let it in: using it again changes nothing. */
  token: digestSchema,
})
export type DeviceIdentity = z.infer<typeof identitySchema>

/** A request that may have been answered already: it is asked again with the same key. */
const pendingSchema = z.object({
  v: z.literal(1),
  token: digestSchema,
  device: deviceIdSchema,
  key: z.string(),
  csr: z.string(),
})
export type PendingJoin = z.infer<typeof pendingSchema>

const FOLDER = 'identity'
const identityPath = (stateDir: string) => join(stateDir, FOLDER, 'identity.json')
const pendingPath = (stateDir: string) => join(stateDir, FOLDER, 'pending.json')

/** `undefined` for a device that has not joined. @throws IdentityError `identity-unusable` */
export function readIdentity(stateDir: string): DeviceIdentity | undefined {
  return read(identityPath(stateDir), identitySchema)
}

/** @throws IdentityError `identity-unusable` */
export async function writeIdentity(stateDir: string, identity: DeviceIdentity): Promise<void> {
  await write(identityPath(stateDir), identity)
  await rm(pendingPath(stateDir), { force: true })
}

export function readPending(stateDir: string): PendingJoin | undefined {
  try {
    return read(pendingPath(stateDir), pendingSchema)
  } catch {
    // Nothing hangs on it but one more token.
    return undefined
  }
}

export async function writePending(stateDir: string, pending: PendingJoin): Promise<void> {
  await write(pendingPath(stateDir), pending)
}

function read<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return parseJson(schema, readFileSync(path, 'utf8'))
  } catch (error) {
    // A state directory that can be none (ENOTDIR) is for those who open it to say.
    if (isMissing(error)) return undefined
    const errno = errnoOf(error)
    const isSpoiled = errno === undefined
    throw unusable(path, isSpoiled ? 'it is not whole' : reasonOf(error), adviceOn(errno), error)
  }
}

async function write(path: string, value: unknown): Promise<void> {
  try {
    // The folder is this agent's alone; what lies around it is read by applications of other users.
    await mkdir(dirname(dirname(path)), { recursive: true })
    await writeOwnerOnly(path, `${JSON.stringify(value, null, 2)}\n`)
  } catch (error) {
    throw unusable(path, reasonOf(error), adviceOn(errnoOf(error)), error)
  }
}

/** What a key that is there needs is never to be thrown away. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'run the agent as the user who owns it, or give it to this one with chown; it is whole',
  EPERM: 'run the agent as the user who owns it, or give it to this one with chown; it is whole',
  EISDIR: 'a folder stands in its place: restore the file from a backup',
  ENOSPC: 'its disk is full: free some space, then try again',
  EDQUOT: 'the quota of this user is used up: free some space, then try again',
  EROFS: 'its file system is read-only: mount it writable, then try again',
  EIO: 'its disk fails: look at the system log, and copy what can be read',
}

function adviceOn(errno: string | undefined): string {
  return errno === undefined
    ? 'restore it from a backup, or move it away and join again with a new token of fitment devices invite'
    : (ADVICE[errno] ?? 'correct that, then try again')
}

function unusable(path: string, reason: string, advice: string, cause: unknown): IdentityError {
  const message = `${path} cannot be used (${reason}): ${advice}`
  return new IdentityError('identity-unusable', message, { path }, { cause })
}
