import t from 'tap'
import { BLOCK_BYTES } from '../../../shared/artifact.ts'
import {
  BLOCK_HEADER_BYTES,
  framePrefix,
  parseBlockFrame,
  printBlockFrame,
  printPackedFrames,
} from '../../../shared/messages/block-frame.ts'
import { DIGEST } from './samples.ts'

for (const [index, size] of [
  [0, 1],
  [1, BLOCK_BYTES],
  [32_767, 1000],
  [2 ** 32 - 1, 5],
] as const) {
  t.test(`block ${index} of ${size} bytes comes back as it was`, async (t) => {
    const bytes = Buffer.alloc(size, 0xa5)
    const printed = printBlockFrame(DIGEST, index, bytes)
    t.equal(printed.length, BLOCK_HEADER_BYTES + size)
    const frame = parseBlockFrame(printed)
    t.equal(frame?.prefix, framePrefix(DIGEST))
    t.equal(frame?.index, index)
    t.ok(bytes.equals(frame?.bytes ?? Buffer.alloc(0)))
  })
}

t.test('a frame within a larger buffer is a view of it', async (t) => {
  const around = Buffer.concat([Buffer.from('xx'), printBlockFrame(DIGEST, 3, Buffer.from('abc'))])
  const frame = parseBlockFrame(
    new Uint8Array(around.buffer, around.byteOffset + 2, around.length - 2),
  )
  t.equal(frame?.index, 3)
  t.equal(frame?.bytes.buffer, around.buffer)
})

t.test('is no frame: empty, header only, oversized, another magic', async (t) => {
  const good = printBlockFrame(DIGEST, 3, Buffer.from('abc'))
  const other = Buffer.from(good)
  other[3] = 9
  t.equal(parseBlockFrame(Buffer.alloc(0)), undefined)
  t.equal(parseBlockFrame(good.subarray(0, BLOCK_HEADER_BYTES)), undefined)
  t.equal(parseBlockFrame(Buffer.concat([good, Buffer.alloc(BLOCK_BYTES)])), undefined)
  t.equal(parseBlockFrame(other), undefined)
})

t.test('an empty or oversized block cannot be framed', async (t) => {
  t.throws(() => printBlockFrame(DIGEST, 0, Buffer.alloc(0)), { code: 'invariant' })
  t.throws(() => printBlockFrame(DIGEST, 0, Buffer.alloc(BLOCK_BYTES + 1)), { code: 'invariant' })
})

t.test('a packed block comes in parts that say how they belong together', async (t) => {
  const packed = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251))
  const printed = printPackedFrames(DIGEST, 7, packed, { isDeflated: true, most: 4096 })
  const frames = printed.map((one) => parseBlockFrame(one))
  t.same(
    frames.map((frame) => ({ ...frame, bytes: frame?.bytes.length })),
    [4096, 4096, 1808].map((bytes, part) => ({
      ...{ prefix: framePrefix(DIGEST), index: 7, bytes },
      packing: { isDeflated: true, part, parts: 3 },
    })),
  )
  t.ok(Buffer.concat(frames.map((frame) => frame?.bytes ?? Buffer.alloc(0))).equals(packed))
})

for (const [what, at, value] of [
  ['an unknown flag', 24, 2],
  ['a part past the last', 25, 1],
  ['no parts', 26, 0],
  ['more parts than there may be', 26, 17],
] as const) {
  t.test(`is no packed frame: ${what}`, async (t) => {
    const [frame = Buffer.alloc(0)] = printPackedFrames(DIGEST, 7, Buffer.from('abc'), {
      isDeflated: false,
      most: 4096,
    })
    t.ok(parseBlockFrame(frame))
    frame[at] = value
    t.equal(parseBlockFrame(frame), undefined)
  })
}
