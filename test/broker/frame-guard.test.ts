import t from 'tap'
import { FrameGuard, type FrameViolation } from '../../broker/frame-guard.ts'
import { connectPacket } from './clients.ts'

const limits = { frameBytesBeforeConnect: 1000, frameBytes: 100_000 }
const hello = connectPacket('pi-1')

function frame(type: number, length: number): Buffer {
  const header = [type << 4]
  let rest = length
  do {
    header.push((rest % 128) | (rest >= 128 ? 0x80 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0xff)])
}

const cases: readonly [string, Buffer, Buffer, FrameViolation | undefined][] = [
  [
    'a session of many frames',
    hello,
    Buffer.concat([frame(3, 0), frame(3, 127), frame(3, 128), frame(3, 16_384), frame(12, 0)]),
    undefined,
  ],
  ['a frame at the limit', hello, frame(3, 100_000), undefined],
  ['a frame past the limit', hello, frame(3, 100_001).subarray(0, 10), 'frame-too-large'],
  [
    'a large frame before it is let in',
    Buffer.alloc(0),
    frame(1, 1001).subarray(0, 10),
    'frame-too-large',
  ],
  [
    'a CONNECT of 200 MB',
    Buffer.alloc(0),
    Buffer.from([0x10, 0x80, 0xc2, 0xd7, 0x5f]),
    'frame-too-large',
  ],
  ['a first frame that is no CONNECT', Buffer.alloc(0), frame(3, 4), 'not-connect-first'],
  [
    'a length that never ends',
    hello,
    Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80]),
    'malformed-length',
  ],
  ['random text', Buffer.alloc(0), Buffer.from('GET / HTTP/1.1\r\n'), 'not-connect-first'],
]

for (const [name, before, after, expected] of cases) {
  t.test(`${name}: ${expected ?? 'passes'}, whatever the chunks`, async (t) => {
    for (const chunkBytes of [1, 2, 3, 7, 64, 1 << 20]) {
      const guard = new FrameGuard(limits)
      t.equal(inspectIn(guard, before, chunkBytes), undefined)
      if (before.length > 0) guard.admit()
      t.equal(inspectIn(guard, after, chunkBytes), expected, `chunks of ${chunkBytes}`)
    }
  })
}

t.test('reads no further than the frames that may begin', async (t) => {
  const guard = new FrameGuard(limits)
  guard.inspect(hello)
  const three = Buffer.concat([frame(3, 10), frame(3, 0), frame(3, 5)])
  t.same(guard.inspect(three, 2), { bytes: 14, frames: 2 })
  t.same(guard.inspect(three.subarray(14), 0), { bytes: 0, frames: 0 })
  t.same(guard.inspect(three.subarray(14, 16), 1), { bytes: 2, frames: 1 })
  t.same(guard.inspect(three.subarray(16), 0), { bytes: 5, frames: 0 }, 'a body is no new frame')
})

function inspectIn(guard: FrameGuard, bytes: Buffer, chunkBytes: number) {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const { violation } = guard.inspect(bytes.subarray(at, at + chunkBytes))
    if (violation !== undefined) return violation
  }
  return undefined
}
