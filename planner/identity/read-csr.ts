import { createPublicKey } from 'node:crypto'
import { refusal } from '../../shared/identity/index.ts'
import { x509 } from './x509.ts'

/**
 * The public key (SPKI, DER) that a PKCS #10 request proves to hold. Its names and extensions are not
 * looked at: what a certificate says is decided here. @throws IdentityError `malformed-request`, `bad-proof`
 */
export async function keyOfCsr(base64: string): Promise<Buffer> {
  const csr = parsed(Buffer.from(base64, 'base64'))
  const spki = Buffer.from(csr.publicKey.rawData)
  if (!isP256(spki)) throw refusal('malformed-request', { reason: 'the key is not P-256' })
  if (!(await verified(csr))) throw refusal('bad-proof', { reason: 'the request is not its key’s' })
  return spki
}

function parsed(der: Uint8Array): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(new Uint8Array(der))
  } catch {
    throw refusal('malformed-request', { reason: 'no PKCS #10 request' })
  }
}

function isP256(spki: Buffer): boolean {
  try {
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
  } catch {
    return false
  }
}

async function verified(csr: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await csr.verify()
  } catch {
    return false
  }
}
