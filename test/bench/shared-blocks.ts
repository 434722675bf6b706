import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import { BLOCK_BYTES } from '../../shared/artifact.ts'

/**
 * What a device that has the first file saves of the second: `node dist/test/bench/shared-blocks.js OLD NEW`. Blocks as they
 * are signed; smaller ones, and pieces cut by content, for what they would save; and deflate.
 */
const [, , oldFile, newFile] = process.argv
if (oldFile === undefined || newFile === undefined) {
  process.stderr.write('give two files: the one that a device has, and the new one\n')
  process.exit(2)
}
const before = readFileSync(oldFile)
const after = readFileSync(newFile)

/** Pieces end where the sum of the last 32 bytes, each through a table, ends in so many zeros. */
function cutByContent(bytes: Buffer, mask: number): Buffer[] {
  const pieces: Buffer[] = []
  let from = 0
  let sum = 0
  for (let at = 0; at < bytes.length; at += 1) {
    sum = ((sum << 1) + (GEAR[bytes[at] ?? 0] ?? 0)) >>> 0
    if (((sum >>> 12) & mask) !== 0 && at + 1 < bytes.length) continue
    pieces.push(bytes.subarray(from, at + 1))
    from = at + 1
  }
  return pieces
}

const GEAR = Array.from({ length: 256 }, (_, i) =>
  createHash('sha256')
    .update(Buffer.from([i]))
    .digest()
    .readUInt32BE(0),
)

function cutAt(size: number) {
  return (bytes: Buffer): Buffer[] =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    )
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

function tell(name: string, cut: (bytes: Buffer) => Buffer[]): void {
  const known = new Set(cut(before).map(digest))
  const pieces = cut(after)
  const shared = pieces.filter((piece) => known.has(digest(piece)))
  const bytes = shared.reduce((sum, { length }) => sum + length, 0)
  const share = ((100 * bytes) / after.length).toFixed(1)
  process.stdout.write(
    `${name}: ${shared.length} of ${pieces.length} shared, ${share} % of bytes\n`,
  )
}

function tellDeflated(level: number): void {
  const sent = cutAt(BLOCK_BYTES)(after).map((block) =>
    Math.min(block.length, deflateRawSync(block, { level }).length),
  )
  const share = (100 * sent.reduce((sum, length) => sum + length, 0)) / after.length
  process.stdout.write(`deflated, level ${level}: ${share.toFixed(1)} % of bytes\n`)
}

process.stdout.write(`${after.length} bytes\n`)
tell('blocks of 64 KiB', cutAt(BLOCK_BYTES))
tell('blocks of 4 KiB', cutAt(4096))
tell('pieces cut by content, about 4 KiB', (bytes) => cutByContent(bytes, 4095))
tellDeflated(1)
tellDeflated(6)
