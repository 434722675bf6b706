import { X509Certificate } from 'node:crypto'
import { type CertificateName, subjectOf } from '../../shared/identity/index.ts'
import { type Authority, BACKDATED_MS } from './authority.ts'
import { ALGORITHM, importKey, newSerial, x509 } from './x509.ts'

export interface ServerName {
  readonly type: 'dns' | 'ip'
  readonly value: string
}

/** Whom a certificate is for: a device or planner as a client, or a server by the names it is reached under. */
export type Subject =
  | { readonly use: 'client'; readonly name: CertificateName }
  | { readonly use: 'server'; readonly names: readonly ServerName[] }

/** A certificate of this authority for the key (SPKI, DER). */
export async function issue(
  authority: Authority,
  subject: Subject,
  spki: Uint8Array,
  { now, days }: { readonly now: Date; readonly days: number },
): Promise<X509Certificate> {
  const publicKey = await importKey('spki', spki)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: distinguishedName(subject),
    issuer: new x509.X509Certificate(authority.certificate.raw).subjectName,
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(now.getTime() + days * 86_400_000),
    publicKey,
    signingKey: authority.signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        subject.use === 'client'
          ? x509.ExtendedKeyUsage.clientAuth
          : x509.ExtendedKeyUsage.serverAuth,
      ]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(
        await importKey(
          'spki',
          authority.certificate.publicKey.export({ format: 'der', type: 'spki' }),
        ),
      ),
      ...(subject.use === 'server'
        ? [new x509.SubjectAlternativeNameExtension([...subject.names])]
        : []),
    ],
  })
  return new X509Certificate(Buffer.from(certificate.rawData))
}

function distinguishedName(subject: Subject): x509.JsonName {
  if (subject.use === 'server') return [{ CN: ['Fitment broker'] }]
  const { CN, O, OU } = subjectOf(subject.name)
  return [{ O: [O] }, { OU: [OU] }, { CN: [CN] }]
}
