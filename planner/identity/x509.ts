import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(globalThis.crypto)

export type CryptoKey = webcrypto.CryptoKey

/** ECDSA P-256 with SHA-256: what every TLS library of a small device knows. */
export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** RFC 5280 §4.1.2.2: positive, at most 20 octets; unpredictable. Hexadecimal. */
export function newSerial(): string {
  const bytes = randomBytes(16)
  // Neither negative nor shortened by DER.
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** The key of a PKCS #8 or SPKI document, for signing or verifying certificates. */
export function importKey(format: 'pkcs8' | 'spki', der: Uint8Array): Promise<CryptoKey> {
  const usage = format === 'pkcs8' ? 'sign' : 'verify'
  return webcrypto.subtle.importKey(format, der, ALGORITHM, true, [usage])
}

export { x509 }
