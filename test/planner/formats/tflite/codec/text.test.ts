import t from 'tap'
import { decodeText, encodeText } from '../../../../../planner/formats/tflite/codec/text.ts'
import { below, randomOf } from '../random.ts'

t.test('valid UTF-8 reads as itself, byte order mark included', async (t) => {
  for (const text of ['', 'conv/層', '🤖', '\ufeffx', 'a\u0000b']) {
    t.equal(decodeText(new TextEncoder().encode(text)), text)
    t.strictSame(encodeText(text), new TextEncoder().encode(text))
  }
})

t.test('any bytes come back unchanged', async (t) => {
  const random = randomOf(7)
  for (let round = 0; round < 500; round += 1) {
    const bytes = Uint8Array.from({ length: below(random, 8) }, () => below(random, 256))
    t.strictSame(encodeText(decodeText(bytes)), bytes)
  }
})
