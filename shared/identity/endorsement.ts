import { type KeyObject, sign, verify, X509Certificate } from 'node:crypto'

const PURPOSE = 'fitment/1/endorse\0'

/** Certificates between a device's and the authority's. */
const MOST_BETWEEN = 3

/** By the device's key over `fitment/1/endorse`, a zero byte and the payload; SHA-256 but for Ed25519; ECDSA as IEEE P1363; base64. */
export function signEndorsement(payload: string, privateKey: KeyObject): string {
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return sign(hashOf(privateKey), Buffer.from(PURPOSE + payload), key).toString('base64')
}

export function verifyEndorsement(
  payload: string,
  signature: string,
  publicKey: KeyObject,
): boolean {
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' as const }
  const bytes = Buffer.from(PURPOSE + payload)
  try {
    return (
      payload.isWellFormed() &&
      verify(hashOf(publicKey), bytes, key, Buffer.from(signature, 'base64'))
    )
  } catch {
    // A key of a kind that signs nothing.
    return false
  }
}

function hashOf({ asymmetricKeyType }: KeyObject): string | null {
  return asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448' ? null : 'sha256'
}

/** The first certificate leads to the authority by those after it, each an authority itself, and all are valid now. */
export function leadsTo(
  [leaf, ...between]: readonly X509Certificate[],
  authority: X509Certificate,
  now: Date,
): boolean {
  if (leaf === undefined || between.length > MOST_BETWEEN) return false
  if (![leaf, ...between, authority].every((each) => isValidAt(each, now))) return false
  const path = [leaf, ...between, authority]
  return path.slice(1).every((issuer, at) => {
    const subject = path[at] as X509Certificate
    return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey)
  })
}

function isValidAt({ validFrom, validTo }: X509Certificate, now: Date): boolean {
  return Date.parse(validFrom) <= now.getTime() && now.getTime() < Date.parse(validTo)
}

/** Its one common name; undefined where it has none, or several. */
export function commonNameOf({ subject }: X509Certificate): string | undefined {
  const names = [...subject.matchAll(/^CN=(.*)$/gm)].map(([, name]) => name)
  return names.length === 1 ? names[0] : undefined
}

/** Every certificate of a PEM text, in its order. @throws where one cannot be read */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((block) => new X509Certificate(block))
}
