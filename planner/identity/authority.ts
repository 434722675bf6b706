import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  X509Certificate,
} from 'node:crypto'
import { join } from 'node:path'
import type { Digest } from '../../shared/digest.ts'
import { messageOf } from '../../shared/errors.ts'
import {
  factsOf,
  IdentityError,
  judgeTime,
  pinOf,
  readIfThere,
  writeOwnerOnly,
} from '../../shared/identity/index.ts'
import { ALGORITHM, type CryptoKey, importKey, newSerial, x509 } from './x509.ts'

/** Who vouches for the devices and the server of a fleet. */
export interface Authority {
  readonly certificate: X509Certificate
  /** PEM. */
  readonly pem: string
  /** SHA-256 of its public key, which join tokens carry. */
  readonly pin: Digest
  readonly signingKey: CryptoKey
}

export const AUTHORITY_FILES = { key: 'authority.key.pem', certificate: 'authority.pem' } as const

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 20 * 365
/** What clocks of other machines may lag behind. */
export const BACKDATED_MS = 5 * 60_000

/**
 * The authority of this folder, made on first use (mode 0600). A certificate that was lost, or made while the clock was
 * wrong by years, is made anew from its key, and keeps its pin; a key that cannot be read is never replaced, for that would shut out every device.
 * @throws IdentityError `identity-unusable`
 */
export async function openAuthority(folder: string, now: () => Date): Promise<Authority> {
  const keyPath = join(folder, AUTHORITY_FILES.key)
  const certificatePath = join(folder, AUTHORITY_FILES.certificate)
  const keyPem = (await readIfThere(keyPath)) ?? (await makeKey(keyPath, certificatePath))
  const signingKey = await readKey(keyPath, keyPem)
  let pem = await readIfThere(certificatePath)
  if (pem === undefined || !isOfUse(readCertificate(certificatePath, pem), now())) {
    pem = await selfSigned(keyPem, signingKey, now())
    await writeOwnerOnly(certificatePath, pem)
  }
  const certificate = readCertificate(certificatePath, pem)
  if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) {
    throw unusable(certificatePath, `it does not belong to the key ${keyPath}`)
  }
  return { certificate, pem, pin: pinOf(certificate), signingKey }
}

/** Issued in another year, it would be believed by nobody whose clock is right. */
function isOfUse(certificate: X509Certificate, now: Date): boolean {
  return judgeTime(factsOf(certificate), now) === 'valid'
}

async function makeKey(path: string, certificatePath: string): Promise<string> {
  if ((await readIfThere(certificatePath)) !== undefined) throw unusable(path, 'it is missing')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  await writeOwnerOnly(path, pem)
  return pem
}

async function readKey(path: string, pem: string): Promise<CryptoKey> {
  try {
    return await importKey('pkcs8', createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' }))
  } catch (error) {
    throw unusable(path, messageOf(error), error)
  }
}

function readCertificate(path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw unusable(path, messageOf(error), error)
  }
}

async function selfSigned(keyPem: string, signingKey: CryptoKey, now: Date): Promise<string> {
  const spki = createPublicKey(keyPem).export({ format: 'der', type: 'spki' })
  const publicKey = await importKey('spki', spki)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: ['Fitment authority'] }],
    notBefore: new Date(now.getTime() - BACKDATED_MS),
    notAfter: new Date(now.getTime() + AUTHORITY_DAYS * DAY_MS),
    keys: { privateKey: signingKey, publicKey },
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

function unusable(path: string, reason: string, cause?: unknown): IdentityError {
  return new IdentityError(
    'identity-unusable',
    `${path} cannot be used (${reason}): restore the folder from its backup; a new authority would shut out every device`,
    { path },
    { cause },
  )
}
