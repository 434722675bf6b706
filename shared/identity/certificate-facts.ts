import type { X509Certificate } from 'node:crypto'
import { type Digest, digestOf } from '../digest.ts'
import { type CertificateName, nameFromSubject } from './certificate-name.ts'

export interface CertificateFacts {
  /** Hexadecimal, upper case. */
  readonly serial: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** `undefined` for an authority's, a server's, or a subject that is none of ours. */
  readonly name: CertificateName | undefined
}

export function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    serial: certificate.serialNumber,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    name: nameFromSubject(certificate.toLegacyObject().subject),
  }
}

/**
 * SHA-256 of the subject public key info (as RFC 7469 §2.4 pins keys): an authority whose certificate is
 * made anew from its key keeps its pin.
 */
export function pinOf(certificate: X509Certificate): Digest {
  return digestOf(certificate.publicKey.export({ format: 'der', type: 'spki' }))
}

/** Issued and signed by this authority; says nothing of time, use or revocation. */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}

/** id-kp-clientAuth, RFC 5280 §4.2.1.12. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** A leaf that may stand for a client: no authority below the authority, no server. */
export function isForClients(certificate: X509Certificate): boolean {
  return !certificate.ca && (certificate.keyUsage ?? []).includes(CLIENT_AUTH)
}
