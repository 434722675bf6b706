import { BLOCK_BYTES } from '../artifact.ts'
import { invariant } from '../errors.ts'

/** `FIT` and the version of the frame. */
const MAGIC = 0x46495401
/** A frame that says how the block was packed: only for who asked for it. */
const PACKED_MAGIC = 0x46495402
/** Deflated (RFC 1951); others are unknown here. */
const DEFLATED = 1
const PREFIX_BYTES = 16
const PREFIX_DIGITS = PREFIX_BYTES * 2

/** Magic (4), first half of the artifact's digest (16), block index (4, big-endian), then the block. */
export const BLOCK_HEADER_BYTES = 4 + PREFIX_BYTES + 4
export const MAX_BLOCK_FRAME_BYTES = BLOCK_HEADER_BYTES + BLOCK_BYTES
/** The same, then flags, part, number of parts, and a zero. */
const PACKED_HEADER_BYTES = BLOCK_HEADER_BYTES + 4

/** Least that one message may hold of a block, so that no block has more than 16 parts. */
export const LEAST_PIECE_BYTES = 4096
const MOST_PARTS = BLOCK_BYTES / LEAST_PIECE_BYTES

/** How a block travels that does not travel as it is. */
export interface Packing {
  readonly isDeflated: boolean
  /** From 0; the parts one after another are the block, deflated or not. */
  readonly part: number
  readonly parts: number
}

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
  /** Absent: `bytes` are the block. */
  readonly packing?: Packing
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

/** The frames of a block in pieces, none longer than `most`; `packed` is the block, deflated or as it is. */
export function printPackedFrames(
  digest: string,
  index: number,
  packed: Uint8Array,
  { isDeflated, most }: { readonly isDeflated: boolean; readonly most: number },
): Buffer[] {
  invariant(most >= LEAST_PIECE_BYTES, 'a piece is not too small')
  const parts = Math.ceil(packed.length / most)
  return Array.from({ length: parts }, (_, part) => {
    const piece = packed.subarray(part * most, (part + 1) * most)
    const frame = Buffer.allocUnsafe(PACKED_HEADER_BYTES + piece.length)
    frame.writeUInt32BE(PACKED_MAGIC, 0)
    frame.write(framePrefix(digest), 4, PREFIX_BYTES, 'hex')
    frame.writeUInt32BE(index, 4 + PREFIX_BYTES)
    frame.set([isDeflated ? DEFLATED : 0, part, parts, 0], BLOCK_HEADER_BYTES)
    frame.set(piece, PACKED_HEADER_BYTES)
    return frame
  })
}

/** `undefined` for bytes that are no block frame. */
export function parseBlockFrame(bytes: Uint8Array): BlockFrame | undefined {
  if (bytes.length <= BLOCK_HEADER_BYTES || bytes.length > MAX_BLOCK_FRAME_BYTES) return undefined
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const place = {
    prefix: frame.toString('hex', 4, 4 + PREFIX_BYTES),
    index: frame.readUInt32BE(4 + PREFIX_BYTES),
  }
  const magic = frame.readUInt32BE(0)
  if (magic === MAGIC) return { ...place, bytes: frame.subarray(BLOCK_HEADER_BYTES) }
  if (magic !== PACKED_MAGIC || frame.length <= PACKED_HEADER_BYTES) return undefined
  const [flags = 0, part = 0, parts = 0] = frame.subarray(BLOCK_HEADER_BYTES)
  if ((flags & ~DEFLATED) !== 0 || part >= parts || parts > MOST_PARTS) return undefined
  const packing = { isDeflated: flags === DEFLATED, part, parts }
  return { ...place, bytes: frame.subarray(PACKED_HEADER_BYTES), packing }
}
