import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  factsOf,
  isIssuedBy,
  readIfThere,
  renewalDue,
  writeOwnerOnly,
} from '../../shared/identity/index.ts'
import type { Authority } from './authority.ts'
import { issue, type ServerName } from './issue.ts'

/** PEM texts; `cert` holds the authority too, so that a device that joins sees what its token pins. */
export interface ServerCertificate {
  readonly key: string
  readonly cert: string
  readonly notAfter: Date
}

/** Key and certificates in one file: they change together or not at all. */
export const SERVER_FILE = 'server.pem'
const SERVER_DAYS = 90
const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'] as const
const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** The names a server on this machine answers to, those given included. */
export function serverNames(given: readonly string[]): readonly ServerName[] {
  const names = new Set([...LOCAL_NAMES, hostname(), ...given])
  return [...names]
    .filter((value) => value !== '' && !EVERYWHERE.has(value))
    .map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))
}

/** The server certificate of this folder; made anew when it nears its end or lacks a name. */
export async function ensureServerCertificate(
  folder: string,
  authority: Authority,
  names: readonly ServerName[],
  now: Date,
): Promise<ServerCertificate> {
  const path = join(folder, SERVER_FILE)
  const present = readServer(await readIfThere(path), authority, names)
  if (present !== undefined && isOfUse(present.leaf, now)) return present.server
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const leaf = await issue(authority, { use: 'server', names }, spki, { now, days: SERVER_DAYS })
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const cert = `${leaf.toString()}${authority.pem}`
  await writeOwnerOnly(path, `${key}${cert}`)
  return { key, cert, notAfter: factsOf(leaf).notAfter }
}

/** Neither near its end nor, made while the clock was ahead, before its beginning. */
function isOfUse(leaf: X509Certificate, now: Date): boolean {
  const facts = factsOf(leaf)
  return facts.notBefore <= now && now < renewalDue(facts)
}

/** `undefined` where the file is none, another authority's, or for other names: it is replaced, nobody pins it. */
function readServer(
  text: string | undefined,
  authority: Authority,
  names: readonly ServerName[],
): { readonly leaf: X509Certificate; readonly server: ServerCertificate } | undefined {
  if (text === undefined) return undefined
  try {
    const [, key = '', cert = ''] =
      /^([\s\S]*?-----END PRIVATE KEY-----\n)([\s\S]+)$/.exec(text) ?? []
    const leaf = new X509Certificate(cert)
    const usable =
      leaf.checkPrivateKey(createPrivateKey(key)) &&
      isIssuedBy(leaf, authority.certificate) &&
      // Of the authority as it is: it may have been made anew from its key.
      cert.includes(authority.pem.trim()) &&
      names.every((name) => coversName(leaf, name))
    if (!usable) return undefined
    return { leaf, server: { key, cert, notAfter: factsOf(leaf).notAfter } }
  } catch {
    return undefined
  }
}

function coversName(leaf: X509Certificate, { type, value }: ServerName): boolean {
  return (type === 'ip' ? leaf.checkIP(value) : leaf.checkHost(value)) !== undefined
}
