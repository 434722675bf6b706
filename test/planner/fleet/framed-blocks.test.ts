import { randomBytes } from 'node:crypto'
import t from 'tap'
import { FramedBlocks } from '../../../planner/fleet/framed-blocks.ts'
import type { OpenArtifact } from '../../../planner/fleet/open-artifacts.ts'
import { BLOCK_BYTES } from '../../../shared/artifact.ts'
import { printBlockFrame } from '../../../shared/messages/index.ts'

const ARTIFACT = 'ab'.repeat(32)
const bytes = randomBytes(4 * BLOCK_BYTES)
const blockAt = (index: number) => ({
  index,
  position: index * BLOCK_BYTES,
  bytes: BLOCK_BYTES,
})

/** Counts its reads, and fails so many of them. */
function counting(failures = 0) {
  const state = { reads: 0 }
  const file: OpenArtifact = {
    bytes: bytes.length,
    readInto: async (buffer, position) => {
      state.reads += 1
      if (state.reads <= failures) throw new Error('the disk failed')
      bytes.copy(buffer, 0, position)
    },
    release: () => {},
  }
  return { state, file }
}

t.test('a block that many want at one time is read once, and all get the same bytes', async (t) => {
  const framed = new FramedBlocks(4 * BLOCK_BYTES)
  const { state, file } = counting()
  const frames = await Promise.all(
    Array.from({ length: 50 }, () => framed.frame(ARTIFACT, blockAt(1), file)),
  )
  t.equal(state.reads, 1)
  t.equal(new Set(frames).size, 1)
  t.ok(
    frames[0]?.equals(printBlockFrame(ARTIFACT, 1, bytes.subarray(BLOCK_BYTES, 2 * BLOCK_BYTES))),
  )
  await framed.frame('cd'.repeat(32), blockAt(1), file)
  t.equal(state.reads, 2, 'of another artifact it is another')
})

t.test('what was sent longest ago is forgotten beyond the bound', async (t) => {
  const framed = new FramedBlocks(2 * BLOCK_BYTES)
  const { state, file } = counting()
  for (const index of [0, 1, 0, 2]) await framed.frame(ARTIFACT, blockAt(index), file)
  t.equal(state.reads, 3)
  await framed.frame(ARTIFACT, blockAt(0), file)
  t.equal(state.reads, 3, 'used a moment ago')
  await framed.frame(ARTIFACT, blockAt(1), file)
  t.equal(state.reads, 4)
})

t.test('a read that failed is not kept', async (t) => {
  const framed = new FramedBlocks(2 * BLOCK_BYTES)
  const { state, file } = counting(1)
  await t.rejects(framed.frame(ARTIFACT, blockAt(0), file))
  await framed.frame(ARTIFACT, blockAt(0), file)
  t.equal(state.reads, 2)
})
