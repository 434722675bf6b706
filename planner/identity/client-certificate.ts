import { generateKeyPairSync } from 'node:crypto'
import type { CertificateName } from '../../shared/identity/index.ts'
import type { Authority } from './authority.ts'
import { issue } from './issue.ts'
import type { ServerTls } from './server-tls.ts'

/** A certificate with which this process itself goes to a broker elsewhere: its key is in memory only. */
export async function ownCertificate(
  authority: Authority,
  name: CertificateName,
  life: { readonly now: Date; readonly days: number },
): Promise<ServerTls> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const certificate = await issue(authority, { use: 'client', name }, spki, life)
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: certificate.toString(),
    ca: authority.pem,
  }
}
