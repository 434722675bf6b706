import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** SHA-256 as 64 lower-case hex digits: the name of every artifact and variant. */
export type Digest = string

export function digestOf(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Streams the file; memory does not grow with its size. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** First 12 digits: enough to tell artifacts apart in a table. */
export function shortDigest(digest: Digest): string {
  return digest.slice(0, 12)
}
