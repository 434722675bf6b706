import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { ArchiveError } from './errors.ts'

/** One member of a zip archive, as its central directory lists it (APPNOTE.TXT 4.3.12). */
export interface ZipEntry {
  readonly name: string
  readonly compressed: number
  readonly size: number
  readonly checksum: number
  readonly method: number
  readonly localHeader: number
}

const END = { signature: 0x06054b50, size: 22 }
const END64_LOCATOR = { signature: 0x07064b50, size: 20 }
const END64 = { signature: 0x06064b50, size: 56 }
const CENTRAL = { signature: 0x02014b50, size: 46 }
const LOCAL = { signature: 0x04034b50, size: 30 }
const ZIP64_EXTRA = 0x0001
/** In no name that NumPy writes; it would break the line of an error that quotes it. */
const CONTROL = /\p{Cc}/u
/** In place of a 32-bit number: the real one stands in the zip64 extra field. NumPy always writes those. */
const IN_ZIP64 = 0xffffffff
/** Node ends the process, without an error to catch, where one read is longer than 31 bits tell. */
const MOST_AT_ONCE = 2 ** 30

/** Nothing is allocated that the file has not, whatever it claims. @throws RangeError */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat()
  const isInside = position >= 0 && position + length <= size
  if (!isInside) throw new RangeError(`the file ends at ${size}`)
  const buffer = Buffer.allocUnsafe(length)
  for (let done = 0; done < length; ) {
    const most = Math.min(length - done, MOST_AT_ONCE)
    const { bytesRead } = await file.read(buffer, done, most, position + done)
    if (bytesRead === 0) throw new RangeError(`the file ends at ${position + done}`)
    done += bytesRead
  }
  return buffer
}

/** Lists an archive without reading its members. @throws RangeError when it is none, or cut short */
export async function listZip(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat()
  const directory = await findDirectory(file, size)
  const bytes = await readAt(file, directory.offset, directory.length)
  const entries: ZipEntry[] = []
  let at = 0
  while (at + CENTRAL.size <= bytes.length) {
    if (bytes.readUInt32LE(at) !== CENTRAL.signature) throw new RangeError('damaged directory')
    const name = bytes.readUInt16LE(at + 28)
    const extra = bytes.readUInt16LE(at + 30)
    const comment = bytes.readUInt16LE(at + 32)
    const nameAt = at + CENTRAL.size
    const wide = zip64Numbers(bytes.subarray(nameAt + name, nameAt + name + extra))
    const number = (position: number) => {
      const short = bytes.readUInt32LE(position)
      return short === IN_ZIP64 ? Number(wide.shift() ?? short) : short
    }
    const text = bytes.toString('utf8', nameAt, nameAt + name)
    if (CONTROL.test(text)) throw new RangeError('damaged directory')
    // Order matters: the zip64 field holds only the numbers that are missing, in this order.
    const full = number(at + 24)
    const compressed = number(at + 20)
    const localHeader = number(at + 42)
    entries.push({
      name: text,
      size: full,
      compressed,
      localHeader,
      method: bytes.readUInt16LE(at + 10),
      checksum: bytes.readUInt32LE(at + 16),
    })
    at = nameAt + name + extra + comment
  }
  return entries
}

/** No stream of deflate grows more than this (RFC 1951: 258 bytes for 2 bits): a claim beyond it is no size. */
const MOST_GROWTH = 1032

/** Bytes read and inflated in one go: less takes more turns. */
const PIECE = 2 ** 21

/**
 * A member's bytes, piece by piece, inflated to at most its listed size; after the last its CRC-32 is checked.
 * @throws RangeError, zlib errors, ArchiveError
 */
export async function* readZipEntry(file: FileHandle, entry: ZipEntry): AsyncGenerator<Buffer> {
  const header = await readAt(file, entry.localHeader, LOCAL.size)
  if (header.readUInt32LE(0) !== LOCAL.signature) throw new RangeError('damaged member')
  const skipped = LOCAL.size + header.readUInt16LE(26) + header.readUInt16LE(28)
  const start = entry.localHeader + skipped
  if (start + entry.compressed > (await file.stat()).size) throw new RangeError('cut short')
  if (entry.size > entry.compressed * MOST_GROWTH) throw new RangeError('no such size')
  let [size, checksum] = [0, 0]
  for await (const piece of unpacked(entry, readPieces(file, start, entry.compressed))) {
    size += piece.length
    checksum = crc32(piece, checksum)
    if (size > entry.size) break
    yield piece
  }
  if (size !== entry.size || checksum !== entry.checksum)
    throw new ArchiveError(`${entry.name} does not match its checksum: copy it again`)
}

/** Bytes of an open file, which stays open. */
export async function* readPieces(
  file: FileHandle,
  start: number,
  length: number,
): AsyncGenerator<Buffer> {
  for (let done = 0; done < length; done += PIECE)
    yield await readAt(file, start + done, Math.min(PIECE, length - done))
}

function unpacked(entry: ZipEntry, stored: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  if (entry.method === 0) return stored
  if (entry.method === 8) {
    // Whoever reads it meets the errors of both.
    return pipeline(stored, createInflateRaw({ chunkSize: PIECE }), () => {})
  }
  throw new ArchiveError(
    `${entry.name} is packed with method ${entry.method}: store or deflate it, as numpy.savez does`,
  )
}

async function findDirectory(file: FileHandle, size: number) {
  // The end record is followed by a comment of at most 65535 bytes.
  const tailAt = Math.max(0, size - END.size - 0xffff)
  const tail = await readAt(file, tailAt, size - tailAt)
  for (let at = tail.length - END.size; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END.signature) continue
    const length = tail.readUInt32LE(at + 12)
    const offset = tail.readUInt32LE(at + 16)
    const wide = offset === IN_ZIP64 ? await findDirectory64(file, tailAt + at) : undefined
    return wide ?? { length, offset }
  }
  throw new RangeError('not a zip archive')
}

async function findDirectory64(file: FileHandle, endAt: number) {
  const locator = await readAt(file, endAt - END64_LOCATOR.size, END64_LOCATOR.size)
  if (locator.readUInt32LE(0) !== END64_LOCATOR.signature) throw new RangeError('damaged end')
  const end = await readAt(file, Number(locator.readBigUInt64LE(8)), END64.size)
  if (end.readUInt32LE(0) !== END64.signature) throw new RangeError('damaged end')
  return { length: Number(end.readBigUInt64LE(40)), offset: Number(end.readBigUInt64LE(48)) }
}

function zip64Numbers(extra: Buffer): bigint[] {
  let at = 0
  while (at + 4 <= extra.length) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === ZIP64_EXTRA)
      return Array.from({ length: length >> 3 }, (_, i) => extra.readBigUInt64LE(at + 4 + 8 * i))
    at += 4 + length
  }
  return []
}
