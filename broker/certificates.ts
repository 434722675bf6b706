import { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import {
  factsOf,
  type IdentityRefusalCode,
  isForClients,
  isIssuedBy,
  judgeTime,
  mayConnectAs,
  type TimeVerdict,
} from '../shared/identity/index.ts'
import { parseJoinerId } from '../shared/messages/index.ts'
import type { Authenticate, Credentials, Identity, Refused } from './identity.ts'

export interface CertificateRules {
  readonly fleets: readonly string[]
  /** The only authority that is believed, PEM. */
  readonly authority: string
  readonly isRevoked: (serial: string) => boolean
  readonly now: () => Date
}

const BAD_TIMES: Readonly<Record<Exclude<TimeVerdict, 'valid'>, IdentityRefusalCode>> = {
  expired: 'certificate-expired',
  'not-yet-valid': 'certificate-not-yet-valid',
}
/** What OpenSSL says about the machine's clock; time is judged here, by `now`. */
const TIME_ERRORS: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/**
 * Believes certificates of one authority: a client is who its certificate names, and nobody else. Without a
 * certificate it may ask for one, under the client id `join:<fleet>:<random>`.
 */
export function believeCertificates(rules: CertificateRules): Authenticate {
  const authority = new X509Certificate(rules.authority)
  return async ({ clientId, socket }) => {
    if (!(socket instanceof TLSSocket)) return { refused: 'certificate-missing' }
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) return joiner(clientId, rules.fleets)
    // OpenSSL's last word may be about time and hide what it said before, so the signature is looked at again.
    const isOurs =
      isAuthorized(socket) && isIssuedBy(certificate, authority) && isForClients(certificate)
    return isOurs ? judge(certificate, clientId, rules) : { refused: 'certificate-foreign' }
  }
}

/** Whether a client that was let in may stay: a connection outlives no certificate. */
export function stillBelieved({
  isRevoked,
  now,
}: Pick<CertificateRules, 'isRevoked' | 'now'>): (identity: Identity) => boolean {
  return (identity) => {
    const shown = identity.role === 'bootstrap' ? undefined : identity.certificate
    return shown === undefined || (!isRevoked(shown.serial) && now() <= shown.notAfter)
  }
}

function judge(
  certificate: X509Certificate,
  clientId: Credentials['clientId'],
  { fleets, isRevoked, now }: CertificateRules,
): Identity | Refused {
  const { name, serial, notBefore, notAfter } = factsOf(certificate)
  if (isRevoked(serial)) return { refused: 'certificate-revoked' }
  const time = judgeTime({ notBefore, notAfter }, now())
  if (time !== 'valid') return { refused: BAD_TIMES[time] }
  if (name === undefined || !mayConnectAs(name, clientId)) {
    return { refused: 'certificate-wrong-name' }
  }
  if (!fleets.includes(name.fleet)) return { refused: 'wrong-fleet' }
  return { ...name, certificate: { serial, notAfter } }
}

function isAuthorized(socket: TLSSocket): boolean {
  // The types say Error; it is OpenSSL's name of the error.
  return socket.authorized || TIME_ERRORS.has(String(socket.authorizationError))
}

function joiner(clientId: string, fleets: readonly string[]): Identity | Refused {
  const named = parseJoinerId(clientId)
  if (named === undefined) return { refused: 'certificate-missing' }
  return fleets.includes(named.fleet) ? { role: 'bootstrap', ...named } : { refused: 'wrong-fleet' }
}
