import t from 'tap'
import { FrameLengths } from '../../../agent/link/frame-limit.ts'

/** An MQTT packet with so many bytes of body, MQTT 3.1.1 §2.2.3. */
function packet(body: number): Buffer {
  const length: number[] = []
  let rest = body
  do {
    length.push((rest % 128) | (rest >= 128 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(body)])
}

const LIMIT = 1_000

t.test('packets up to the limit pass, however they are cut', (t) => {
  const stream = Buffer.concat([0, 1, 127, 128, 999, LIMIT, 0, 300].map(packet))
  for (const step of [1, 2, 3, 7, 100, stream.length]) {
    const lengths = new FrameLengths(LIMIT)
    for (let at = 0; at < stream.length; at += step) {
      if (!lengths.accepts(stream.subarray(at, at + step)))
        t.fail(`refused at ${at} in steps of ${step}`)
    }
  }
  t.end()
})

t.test('one byte more is refused as soon as its length is known', (t) => {
  const stream = Buffer.concat([packet(10), packet(LIMIT + 1).subarray(0, 3)])
  t.ok(new FrameLengths(LIMIT).accepts(stream.subarray(0, -1)))
  t.notOk(new FrameLengths(LIMIT).accepts(stream))
  t.end()
})

t.test('a length of five bytes is no length', (t) => {
  t.notOk(new FrameLengths(2 ** 31).accepts(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])))
  t.end()
})
