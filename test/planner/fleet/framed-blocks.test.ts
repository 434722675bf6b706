import { randomBytes } from 'node:crypto'
import t from 'tap'
import { FramedBlocks } from '../../../planner/fleet/framed-blocks.ts'
import type { OpenArtifact } from '../../../planner/fleet/open-artifacts.ts'
import { BLOCK_BYTES } from '../../../shared/artifact.ts'
import { parseBlockFrame, printBlockFrame } from '../../../shared/messages/index.ts'

const ARTIFACT = 'ab'.repeat(32)
const bytes = randomBytes(4 * BLOCK_BYTES)
const PLAIN = { isPacked: false, pieceBytes: BLOCK_BYTES }
const blockAt = (index: number) => ({
  index,
  position: index * BLOCK_BYTES,
  bytes: BLOCK_BYTES,
})

/** Counts its reads, and fails so many of them. */
function counting(failures = 0, content = bytes) {
  const state = { reads: 0 }
  const file: OpenArtifact = {
    bytes: content.length,
    readInto: async (buffer, position) => {
      state.reads += 1
      if (state.reads <= failures) throw new Error('the disk failed')
      content.copy(buffer, 0, position)
    },
    release: () => {},
  }
  return { state, file }
}

t.test('a block that many want at one time is read once, and all get the same bytes', async (t) => {
  const framed = new FramedBlocks(4 * BLOCK_BYTES)
  const { state, file } = counting()
  const frames = await Promise.all(
    Array.from({ length: 50 }, () => framed.frames(ARTIFACT, blockAt(1), file, PLAIN)),
  )
  t.equal(state.reads, 1)
  t.equal(new Set(frames).size, 1)
  t.ok(
    frames[0]?.[0]?.equals(
      printBlockFrame(ARTIFACT, 1, bytes.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES)),
    ),
  )
  await framed.frames('cd'.repeat(32), blockAt(1), file, PLAIN)
  t.equal(state.reads, 2, 'of another artifact it is another')
})

t.test('what was sent longest ago is forgotten beyond the bound', async (t) => {
  const framed = new FramedBlocks(2 * BLOCK_BYTES)
  const { state, file } = counting()
  for (const index of [0, 1, 0, 2]) await framed.frames(ARTIFACT, blockAt(index), file, PLAIN)
  t.equal(state.reads, 3)
  await framed.frames(ARTIFACT, blockAt(0), file, PLAIN)
  t.equal(state.reads, 3, 'used a moment ago')
  await framed.frames(ARTIFACT, blockAt(1), file, PLAIN)
  t.equal(state.reads, 4)
})

t.test('a read that failed is not kept', async (t) => {
  const framed = new FramedBlocks(2 * BLOCK_BYTES)
  const { state, file } = counting(1)
  await t.rejects(framed.frames(ARTIFACT, blockAt(0), file, PLAIN))
  await framed.frames(ARTIFACT, blockAt(0), file, PLAIN)
  t.equal(state.reads, 2)
})

const LETTERS = Buffer.from(randomBytes(2 * BLOCK_BYTES).toString('hex'))

t.test(
  'a packed block is deflated where that makes it smaller, and in parts where it is long',
  async (t) => {
    const framed = new FramedBlocks(64 * BLOCK_BYTES)
    const { file } = counting(0, LETTERS)
    const said = async (pieceBytes: number, of = file) => {
      const frames = await new FramedBlocks(64 * BLOCK_BYTES).frames(ARTIFACT, blockAt(1), of, {
        isPacked: true,
        pieceBytes,
      })
      return frames.map((frame) => parseBlockFrame(frame)?.packing)
    }
    t.same(await said(BLOCK_BYTES), [{ isDeflated: true, part: 0, parts: 1 }])
    t.same(
      await said(BLOCK_BYTES / 2),
      [0, 1].map((part) => ({ isDeflated: true, part, parts: 2 })),
    )
    t.same(await said(BLOCK_BYTES, counting().file), [undefined], 'random bytes come as they are')
    t.same(
      await said(BLOCK_BYTES / 2, counting().file),
      [0, 1].map((part) => ({ isDeflated: false, part, parts: 2 })),
    )
    const plain = await framed.frames(ARTIFACT, blockAt(1), file, PLAIN)
    t.equal(parseBlockFrame(plain[0] as Buffer)?.packing, undefined, 'who does not ask gets none')
  },
)

t.test(
  'until deflating is seen to pay, one block is tried and the others do not wait',
  async (t) => {
    const framed = new FramedBlocks(64 * BLOCK_BYTES)
    const { file } = counting(0, LETTERS)
    const packed = { isPacked: true, pieceBytes: BLOCK_BYTES }
    const said = async (indices: readonly number[]) => {
      const all = await Promise.all(
        indices.map((index) => framed.frames(ARTIFACT, blockAt(index), file, packed)),
      )
      return all.map(([frame]) => parseBlockFrame(frame as Buffer)?.packing?.isDeflated ?? false)
    }
    t.equal((await said([0, 1])).filter(Boolean).length, 1)
    t.same(await said([2, 3]), [true, true])
  },
)
