import { createHash } from 'node:crypto'
import { digestOf } from '../../shared/digest.ts'
import { type ArtifactRef, BLOCK_BYTES, blockCount } from '../../shared/messages/index.ts'

const DIGEST_BYTES = 32

/** Digests of an artifact's blocks, in order: what each block is checked against as it lands. */
export class BlockList {
  readonly #digests: Buffer
  readonly #bytes: number
  #places: ReadonlyMap<string, readonly number[]> | undefined

  private constructor(digests: Buffer, bytes: number) {
    this.#digests = digests
    this.#bytes = bytes
  }

  static bytesFor(artifact: ArtifactRef): number {
    return blockCount(artifact.bytes) * DIGEST_BYTES
  }

  /** `undefined` for bytes that are not the list which the artifact names. */
  static verify(bytes: Uint8Array, artifact: ArtifactRef): BlockList | undefined {
    if (bytes.length !== BlockList.bytesFor(artifact)) return undefined
    if (digestOf(bytes) !== artifact.blockList) return undefined
    return new BlockList(Buffer.from(bytes), artifact.bytes)
  }

  get count(): number {
    return this.#digests.length / DIGEST_BYTES
  }

  sizeOf(index: number): number {
    return blockBytes(this.#bytes, index)
  }

  /** Every place where the artifact has these bytes. */
  placesOf(block: Uint8Array): readonly number[] {
    this.#places ??= placesByDigest(this.#digests)
    const places = this.#places.get(createHash('sha256').update(block).digest('hex')) ?? []
    return places.filter((index) => this.sizeOf(index) === block.length)
  }

  verifies(index: number, block: Uint8Array): boolean {
    if (index >= this.count || block.length !== this.sizeOf(index)) return false
    const expected = this.#digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES)
    return createHash('sha256').update(block).digest().equals(expected)
  }
}

/** Bytes of one block: all are whole but the last. */
export function blockBytes(totalBytes: number, index: number): number {
  return Math.max(0, Math.min(BLOCK_BYTES, totalBytes - index * BLOCK_BYTES))
}

function placesByDigest(digests: Buffer): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>()
  for (let at = 0; at < digests.length; at += DIGEST_BYTES) {
    const digest = digests.toString('hex', at, at + DIGEST_BYTES)
    places.set(digest, [...(places.get(digest) ?? []), at / DIGEST_BYTES])
  }
  return places
}
