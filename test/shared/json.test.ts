import t from 'tap'
import { parseJsonText } from '../../shared/json.ts'
import { randomOf } from '../planner/formats/tflite/random.ts'

const nested = (depth: number, inner = '') => '[{"a":'.repeat(depth / 2) + inner

t.test('what is nested is told by brackets outside of strings', async (t) => {
  const closed = (depth: number) => `${nested(depth, '1')}${'}]'.repeat(depth / 2)}`
  t.equal(parseJsonText(Buffer.from(closed(16))).ok, true)
  t.same(parseJsonText(Buffer.from(closed(18))), { ok: false, code: 'too-deep' })
  t.same(parseJsonText(Buffer.from(nested(18))), { ok: false, code: 'too-deep' })
  const quoted = JSON.stringify({ '[{[{[{[{[{[{[{[{[{[{': '"[{[{[{[{\\"[{[{[{[{[{' })
  t.equal(parseJsonText(Buffer.from(quoted)).ok, true)
  t.same(parseJsonText(Buffer.from('"\\')), { ok: false, code: 'not-json' })
})

/** The same, said byte by byte. */
function depthOf(text: string): number {
  let [depth, deepest, inString, isEscaped] = [0, 0, false, false]
  for (const letter of text) {
    if (isEscaped) isEscaped = false
    else if (inString && letter === '\\') isEscaped = true
    else if (letter === '"') inString = !inString
    else if (!inString && '[{'.includes(letter)) depth += 1
    else if (!inString && ']}'.includes(letter)) depth -= 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

t.test('whatever the bytes are, they are refused for what they are', async (t) => {
  const random = randomOf(15)
  const letters = ['[', '{', '[', '{', ']', '}', '"', '\\', 'a', 'é', '1', ',', ':']
  const codes = new Set<string>()
  for (let round = 0; round < 20_000; round += 1) {
    const length = 1 + Math.floor(random() * 60)
    const text = Array.from(
      { length },
      () => letters[Math.floor(random() * letters.length)] ?? '',
    ).join('')
    const parsed = parseJsonText(Buffer.from(text))
    const code = parsed.ok ? 'ok' : parsed.code
    codes.add(code)
    if ((code === 'too-deep') !== depthOf(text) > 16) t.fail(`${code}: ${text}`)
  }
  t.ok(codes.has('too-deep') && codes.has('not-json'), [...codes].join())
})
