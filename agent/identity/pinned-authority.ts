import type { X509Certificate } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'
import type { Digest } from '../../shared/digest.ts'
import { messageOf } from '../../shared/errors.ts'
import { IdentityError, isIssuedBy, pinOf } from '../../shared/identity/index.ts'
import { addressOf } from './broker-socket.ts'

/** Longest chain that is looked at. */
const LONGEST_CHAIN = 8

/**
 * The authority (PEM) that the broker shows, if it is the one that is pinned. Nothing is said on this
 * connection: the next one believes this authority and no other.
 * @throws IdentityError `authority-not-pinned`, `broker-unreachable`
 */
export async function fetchAuthority(url: string, pin: Digest, timeoutMs: number): Promise<string> {
  // Not believed yet: whom to believe is what is asked here, and the pin decides it.
  const socket = connect({ ...addressOf(url), rejectUnauthorized: false })
  try {
    await secured(socket, url, timeoutMs)
    const authority = chainOf(socket).find(
      (certificate) => pinOf(certificate) === pin && isIssuedBy(certificate, certificate),
    )
    if (authority !== undefined) return authority.toString()
    throw new IdentityError(
      'authority-not-pinned',
      `${url} shows another authority than the token names: is it the right broker? Nothing was sent to it`,
      { url },
    )
  } finally {
    socket.destroy()
  }
}

function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = []
  let certificate = socket.getPeerX509Certificate()
  while (certificate !== undefined && chain.length < LONGEST_CHAIN) {
    chain.push(certificate)
    const { issuerCertificate } = certificate
    certificate =
      issuerCertificate?.fingerprint256 === certificate.fingerprint256
        ? undefined
        : issuerCertificate
  }
  return chain
}

function secured(socket: TLSSocket, url: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown) => {
      const message = `no TLS connection to ${url} (${reason}): check the network and that the broker runs`
      reject(new IdentityError('broker-unreachable', message, { url }, { cause }))
    }
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs / 1000} s`), timeoutMs)
    socket.once('secureConnect', resolve)
    socket.once('error', (error) => fail(messageOf(error), error))
    socket.once('close', () => {
      clearTimeout(timer)
      fail('the broker closed the connection')
    })
  })
}
