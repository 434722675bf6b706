import { z } from 'zod'
import { type Digest, digestOf } from '../digest.ts'
import { parseJson } from '../json.ts'
import { TrustError } from './errors.ts'
import { parseMetadata } from './metadata.ts'

/** What a device is given at setup and believes without proof: the first root of each repository, as text. */
const anchorSchema = z.object({
  v: z.literal(1),
  director: z.string().max(65_536),
  image: z.string().max(65_536),
})
export type TrustAnchor = z.infer<typeof anchorSchema>

/** @throws TrustError `malformed-anchor` */
export function parseAnchor(text: string): TrustAnchor {
  try {
    const anchor = parseJson(anchorSchema, text)
    for (const root of [anchor.director, anchor.image]) {
      const metadata = parseMetadata('root', Buffer.from(root))
      metadata.verifyDelegate('root', metadata)
    }
    return anchor
  } catch (error) {
    throw new TrustError(
      'malformed-anchor',
      'not a trust anchor: take what `fitment keys anchor` prints',
      {},
      { cause: error },
    )
  }
}

export function printAnchor(anchor: TrustAnchor): string {
  return `${JSON.stringify(anchor)}\n`
}

/** What a device is given to pin it: `printTrustPin`. */
export function anchorDigest(anchor: TrustAnchor): Digest {
  return digestOf(printAnchor(anchor))
}
