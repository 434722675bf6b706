import 'reflect-metadata'
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export interface KeyWithRequest {
  /** PKCS #8, PEM. */
  readonly key: string
  /** PKCS #10 (RFC 2986), DER in base64. */
  readonly csr: string
}

/** A new ECDSA P-256 key, and the request that proves this device holds it. */
export async function makeKeyWithRequest(device: string): Promise<KeyWithRequest> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [device] }],
    keys: { privateKey: await webKey(privateKey), publicKey: await webKey(publicKey) },
    signingAlgorithm: ALGORITHM,
  })
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    csr: Buffer.from(request.rawData).toString('base64'),
  }
}

function webKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return key.type === 'private'
    ? webcrypto.subtle.importKey(
        'pkcs8',
        key.export({ format: 'der', type: 'pkcs8' }),
        ALGORITHM,
        true,
        ['sign'],
      )
    : webcrypto.subtle.importKey(
        'spki',
        key.export({ format: 'der', type: 'spki' }),
        ALGORITHM,
        true,
        ['verify'],
      )
}
