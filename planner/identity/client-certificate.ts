import { generateKeyPairSync } from 'node:crypto'
import type { Authority } from './authority.ts'
import { issue } from './issue.ts'
import type { ServerTls } from './planner-identity.ts'

/** As long as the authority may live: the key is in the memory of this process only, and ends with it. */
const DAYS = 3650

/** With which the planner itself goes to a broker elsewhere. */
export async function plannerCertificate(
  authority: Authority,
  fleet: string,
  now: Date,
): Promise<ServerTls> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const subject = { use: 'client', name: { role: 'planner', fleet } } as const
  const certificate = await issue(authority, subject, spki, { now, days: DAYS })
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: certificate.toString(),
    ca: authority.pem,
  }
}
