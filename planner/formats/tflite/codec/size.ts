import { ByteRanges } from './byte-ranges.ts'

/** Table header, a vtable of its own, alignment; or a vector's length and alignment. */
const TABLE_BYTES = 96
const VECTOR_BYTES = 32
const ENTRY_BYTES = 8

/**
 * An upper bound of what a model tree takes in a flatbuffer, so that the builder never has to grow:
 * growing copies everything, and fails beyond 1 GiB.
 */
export function largestSizeOf(tree: unknown, counted = new ByteRanges<true>()): number {
  if (typeof tree === 'string') return VECTOR_BYTES + 3 * tree.length
  if (typeof tree !== 'object' || tree === null) return ENTRY_BYTES
  if (tree instanceof Uint8Array) return bytesOf(tree, counted)
  if (ArrayBuffer.isView(tree)) return VECTOR_BYTES + tree.byteLength
  const parts: unknown[] = Array.isArray(tree) ? tree : Object.values(tree)
  return parts.reduce(
    (size: number, part) => size + ENTRY_BYTES + largestSizeOf(part, counted),
    Array.isArray(tree) ? VECTOR_BYTES : TABLE_BYTES,
  )
}

/** Bytes that several buffers share are written once. */
function bytesOf(bytes: Uint8Array, counted: ByteRanges<true>): number {
  if (counted.get(bytes)) return VECTOR_BYTES
  counted.set(bytes, true)
  return VECTOR_BYTES + bytes.byteLength
}
