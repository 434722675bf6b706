import { type Authority, BACKDATED_MS } from './authority.ts'
import { ALGORITHM, x509 } from './x509.ts'

const DAY_MS = 86_400_000
/** A broker elsewhere is given a new list when something was revoked, and well before this. */
const LIST_DAYS = 365

/** What is no longer believed, for a broker that does not ask us: an X.509 list (RFC 5280 §5), PEM. */
export async function revocationList(
  authority: Authority,
  serials: Iterable<string>,
  now: Date,
): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(authority.certificate.raw).subjectName,
    thisUpdate: new Date(now.getTime() - BACKDATED_MS),
    nextUpdate: new Date(now.getTime() + LIST_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    signingKey: authority.signingKey,
    entries: [...serials].map((serialNumber) => ({ serialNumber, revocationDate: now })),
  })
  // The library's label is its own; readers know the one of RFC 7468 §6.
  return `${list.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----')}\n`
}
