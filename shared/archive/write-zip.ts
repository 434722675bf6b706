import { promisify } from 'node:util'
import { crc32, deflateRaw } from 'node:zlib'

/** APPNOTE.TXT 4.3: the local header, the directory's entry and the end, as much of them as is not zero. */
const LOCAL = { signature: 0x04034b50, size: 30 }
const CENTRAL = { signature: 0x02014b50, size: 46 }
const END = { signature: 0x06054b50, size: 22 }
const NEEDS_VERSION = 20
const UTF8_NAME = 1 << 11
const DEFLATED = 8
/** 1980-01-01, the first day a zip archive can name: equal members make equal archives. */
const DATE = (1 << 5) | 1

const deflate = promisify<Buffer, Buffer>(deflateRaw)

/**
 * An archive of these members in this order, each deflated, outside this thread. For archives below 2 GiB: it writes no
 * zip64.
 */
export async function writeZip(members: Iterable<readonly [string, Buffer]>): Promise<Buffer> {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [path, bytes] of members) {
    const name = Buffer.from(path)
    const packed = await deflate(bytes)
    const facts = factsOf(name, bytes, packed)
    const local = header(LOCAL, facts, 4)
    directory.push(centralEntry(facts, offset), name)
    parts.push(local, name, packed)
    offset += local.length + name.length + packed.length
  }
  const listed = Buffer.concat(directory)
  return Buffer.concat([...parts, listed, endOf(directory.length / 2, listed.length, offset)])
}

/** What both headers repeat, in the order of the format. */
function factsOf(name: Buffer, bytes: Buffer, packed: Buffer): Buffer {
  const facts = Buffer.alloc(26)
  facts.writeUInt16LE(NEEDS_VERSION, 0)
  facts.writeUInt16LE(UTF8_NAME, 2)
  facts.writeUInt16LE(DEFLATED, 4)
  facts.writeUInt16LE(DATE, 8)
  facts.writeUInt32LE(crc32(bytes), 10)
  facts.writeUInt32LE(packed.length, 14)
  facts.writeUInt32LE(bytes.length, 18)
  facts.writeUInt16LE(name.length, 22)
  return facts
}

function centralEntry(facts: Buffer, offset: number): Buffer {
  const entry = header(CENTRAL, facts, 6)
  entry.writeUInt16LE(NEEDS_VERSION, 4)
  entry.writeUInt32LE(offset, 42)
  return entry
}

function header(kind: typeof LOCAL | typeof CENTRAL, facts: Buffer, at: number): Buffer {
  const bytes = Buffer.alloc(kind.size)
  bytes.writeUInt32LE(kind.signature, 0)
  facts.copy(bytes, at)
  return bytes
}

function endOf(members: number, directoryBytes: number, offset: number): Buffer {
  const end = Buffer.alloc(END.size)
  end.writeUInt32LE(END.signature, 0)
  end.writeUInt16LE(members, 8)
  end.writeUInt16LE(members, 10)
  end.writeUInt32LE(directoryBytes, 12)
  end.writeUInt32LE(offset, 16)
  return end
}
