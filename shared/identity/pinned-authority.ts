import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { Digest } from '../digest.ts'
import { messageOf } from '../errors.ts'
import { isIssuedBy, pinOf } from './certificate-facts.ts'
import { IdentityError } from './errors.ts'

/** Longest chain that is looked at. */
const LONGEST_CHAIN = 8

/** What a TLS socket to this URL is opened with. */
export function tlsAddress(url: URL, defaultPort: number): ConnectionOptions {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? defaultPort : Number(url.port)
  // RFC 6066 §3: an address is no server name.
  return { host, port, minVersion: 'TLSv1.3', ...(isIP(host) === 0 && { servername: host }) }
}

/**
 * The authority (PEM) that the server at `url` shows, if it is the one that is pinned. Nothing is said on this
 * connection: the next one believes this authority and no other.
 * @throws IdentityError `authority-not-pinned`, `broker-unreachable`
 */
export async function fetchAuthority(
  { url, address }: { readonly url: string; readonly address: ConnectionOptions },
  pin: Digest,
  timeoutMs: number,
): Promise<string> {
  // Not believed yet: whom to believe is what is asked here, and the pin decides it.
  const socket = connect({ ...address, rejectUnauthorized: false })
  try {
    await secured(socket, url, timeoutMs)
    const authority = chainOf(socket).find(
      (certificate) => pinOf(certificate) === pin && isIssuedBy(certificate, certificate),
    )
    if (authority !== undefined) return authority.toString()
    throw new IdentityError(
      'authority-not-pinned',
      `${url} shows another authority than the token names: is it the right one? Nothing was sent to it`,
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
      const message = `no TLS connection to ${url} (${reason}): check the network and that it runs there`
      reject(new IdentityError('broker-unreachable', message, { url }, { cause }))
    }
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs / 1000} s`), timeoutMs)
    socket.once('secureConnect', resolve)
    socket.once('error', (error) => fail(messageOf(error), error))
    socket.once('close', () => {
      clearTimeout(timer)
      fail('the connection was closed')
    })
  })
}
