import { BLOCK_BYTES } from '../artifact.ts'
import { invariant } from '../errors.ts'

/** `FIT` and the version of the frame. */
const MAGIC = 0x46495401
const PREFIX_BYTES = 16
const PREFIX_DIGITS = PREFIX_BYTES * 2

/** Magic (4), first half of the artifact's digest (16), block index (4, big-endian), then the block. */
export const BLOCK_HEADER_BYTES = 4 + PREFIX_BYTES + 4
export const MAX_BLOCK_FRAME_BYTES = BLOCK_HEADER_BYTES + BLOCK_BYTES

/**
 * One block on its way to a device. The frame says where the bytes belong, never that they are
 * right: the receiver checks them against the artifact's block list.
 */
export interface BlockFrame {
  /** 32 hex digits: the first half of the artifact's digest. */
  readonly prefix: string
  readonly index: number
  /** 1 … BLOCK_BYTES bytes: a view of the frame, not a copy. */
  readonly bytes: Uint8Array
}

/** What a frame of this artifact carries as its prefix. */
export function framePrefix(digest: string): string {
  return digest.slice(0, PREFIX_DIGITS)
}

/** Room for a frame whose block is then read from a file straight into place. */
export function allocateBlockFrame(
  digest: string,
  index: number,
  blockBytes: number,
): { readonly frame: Buffer; readonly block: Buffer } {
  invariant(blockBytes > 0 && blockBytes <= BLOCK_BYTES, 'a block has 1 to BLOCK_BYTES bytes')
  const frame = Buffer.allocUnsafe(BLOCK_HEADER_BYTES + blockBytes)
  frame.writeUInt32BE(MAGIC, 0)
  frame.write(framePrefix(digest), 4, PREFIX_BYTES, 'hex')
  frame.writeUInt32BE(index, 4 + PREFIX_BYTES)
  return { frame, block: frame.subarray(BLOCK_HEADER_BYTES) }
}

export function printBlockFrame(digest: string, index: number, bytes: Uint8Array): Buffer {
  const { frame, block } = allocateBlockFrame(digest, index, bytes.length)
  block.set(bytes)
  return frame
}

/** `undefined` for bytes that are no block frame. */
export function parseBlockFrame(bytes: Uint8Array): BlockFrame | undefined {
  if (bytes.length <= BLOCK_HEADER_BYTES || bytes.length > MAX_BLOCK_FRAME_BYTES) return undefined
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (frame.readUInt32BE(0) !== MAGIC) return undefined
  return {
    prefix: frame.toString('hex', 4, 4 + PREFIX_BYTES),
    index: frame.readUInt32BE(4 + PREFIX_BYTES),
    bytes: frame.subarray(BLOCK_HEADER_BYTES),
  }
}
