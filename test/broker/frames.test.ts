import t from 'tap'
import { FrameReader, type FrameViolation } from '../../broker/frames.ts'
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
      const reader = new FrameReader(limits)
      const hello = readIn(reader, before, chunkBytes)
      t.strictSame(Buffer.concat(hello.frames), before)
      if (before.length > 0) reader.admit()
      const { frames, violation } = readIn(reader, after, chunkBytes)
      t.equal(violation, expected, `chunks of ${chunkBytes}`)
      if (violation === undefined) t.strictSame(Buffer.concat(frames), after, 'nothing is lost')
    }
  })
}

t.test('frames come whole, one by one, and what is no whole frame waits', async (t) => {
  const reader = new FrameReader(limits)
  const three = [frame(3, 10), frame(3, 0), frame(3, 300)]
  reader.add(Buffer.concat([hello, ...three]).subarray(0, -1))
  t.strictSame(reader.next(), hello)
  t.strictSame(reader.next(), three[0])
  t.strictSame(reader.next(), three[1])
  t.equal(reader.next(), undefined)
  reader.add(Buffer.from([0xff]))
  t.strictSame(reader.next(), three[2])
  t.equal(reader.next(), undefined)
})

function readIn(
  reader: FrameReader,
  bytes: Buffer,
  chunkBytes: number,
): { readonly frames: Buffer[]; readonly violation: FrameViolation | undefined } {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    reader.add(bytes.subarray(at, at + chunkBytes))
    for (;;) {
      const next = reader.next()
      if (next === undefined) break
      if (typeof next === 'string') return { frames, violation: next }
      frames.push(next)
    }
  }
  return { frames, violation: undefined }
}
