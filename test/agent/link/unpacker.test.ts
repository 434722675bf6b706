import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import t from 'tap'
import { Unpacker } from '../../../agent/link/unpacker.ts'
import { invariant } from '../../../shared/errors.ts'
import {
  BLOCK_BYTES,
  type BlockFrame,
  parseBlockFrame,
  printBlockFrame,
  printPackedFrames,
} from '../../../shared/messages/index.ts'

const DIGEST = 'ab'.repeat(32)

function parsed(frame: Buffer): BlockFrame {
  const found = parseBlockFrame(frame)
  invariant(found, 'it is a frame')
  return found
}

const partsOf = (index: number, packed: Buffer, isDeflated: boolean) =>
  printPackedFrames(DIGEST, index, packed, { isDeflated, most: 4096 }).map(parsed)

t.test('a block that is not packed passes', async (t) => {
  const frame = parsed(printBlockFrame(DIGEST, 3, Buffer.from('abc')))
  t.equal(new Unpacker().take(frame), frame)
})

for (const isDeflated of [false, true]) {
  t.test(
    `parts in any order, twice, make the block${isDeflated ? ', inflated' : ''}`,
    async (t) => {
      const block = Buffer.from(randomBytes(BLOCK_BYTES / 2).toString('hex'))
      const parts = partsOf(5, isDeflated ? deflateRawSync(block) : block, isDeflated)
      t.ok(parts.length > 4)
      const unpacker = new Unpacker()
      const last = parts.pop() as BlockFrame
      for (const part of [...parts.reverse(), ...parts]) t.equal(unpacker.take(part), 'incomplete')
      const whole = unpacker.take(last)
      t.ok(typeof whole === 'object' && whole.index === 5 && block.equals(whole.bytes))
    },
  )
}

t.test('what inflates to more than a block, or to nothing, is spoiled', async (t) => {
  const bomb = partsOf(0, deflateRawSync(Buffer.alloc(100 * BLOCK_BYTES)), true)
  const unpacker = new Unpacker()
  t.equal(bomb.map((part) => unpacker.take(part)).at(-1), 'spoiled')
  const [noise] = partsOf(1, Buffer.from('no deflated bytes'), true)
  t.equal(unpacker.take(noise as BlockFrame), 'spoiled')
})

t.test('parts of more blocks than are ever wanted at a time push out the oldest', async (t) => {
  const unpacker = new Unpacker()
  const all = Array.from({ length: 66 }, (_, index) => partsOf(index, randomBytes(5000), false))
  for (const [first] of all) unpacker.take(first as BlockFrame)
  t.equal(unpacker.take(all[0]?.[1] as BlockFrame), 'incomplete', 'its first part is forgotten')
  t.type(unpacker.take(all[65]?.[1] as BlockFrame), 'object')
})
