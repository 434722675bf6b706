import t from 'tap'
import { digestOf } from '../../../shared/digest.ts'
import {
  joinKeyOf,
  newJoinSecret,
  newOperatorSecret,
  parseJoinToken,
  parseOperatorToken,
  printJoinToken,
  printOperatorToken,
} from '../../../shared/identity/index.ts'
import { printTrustPin } from '../../../shared/trust/index.ts'

const token = {
  broker: 'mqtts://planner.local:8883',
  fleet: 'plant-7',
  authority: 'ab'.repeat(32),
  trust: printTrustPin(digestOf('an anchor')),
  secret: newJoinSecret(),
}
const operator = {
  planner: 'https://planner.local:8443',
  authority: 'cd'.repeat(32),
  secret: newOperatorSecret(),
}

t.test('a join token is one word that says everything', async (t) => {
  const text = printJoinToken({ ...token, device: 'press-12' })
  t.match(text, /^fitjoin1_[A-Za-z0-9_-]+$/)
  t.ok(text.length < 256, `${text.length} characters`)
  t.strictSame(parseJoinToken(text), { ...token, device: 'press-12' })
  t.strictSame(parseJoinToken(printJoinToken(token)), token)
  t.strictSame(parseOperatorToken(printOperatorToken(operator)), operator)
})

t.test('a terminal may wrap it', async (t) => {
  const text = printJoinToken(token)
  t.strictSame(parseJoinToken(` ${text.slice(0, 80)}\r\n  ${text.slice(80)}\n`), token)
})

t.test('whatever is cut off or mistyped is told', async (t) => {
  const text = printJoinToken(token)
  for (let end = 0; end < text.length; end += 1) {
    t.throws(() => parseJoinToken(text.slice(0, end)), { code: 'malformed-token' })
  }
  for (let at = 0; at < text.length; at += 1) {
    const wrong = text[at] === 'A' ? 'B' : 'A'
    const mistyped = text.slice(0, at) + wrong + text.slice(at + 1)
    t.throws(() => parseJoinToken(mistyped), { code: 'malformed-token' }, mistyped)
  }
  for (const other of [
    '',
    text + text,
    `${text}=`,
    'x'.repeat(1e6),
    printOperatorToken(operator),
  ]) {
    t.throws(() => parseJoinToken(other), { code: 'malformed-token' })
  }
})

t.test('a broker without TLS is none for a token', async (t) => {
  const text = printJoinToken({ ...token, broker: 'mqtt://planner.local' })
  t.throws(() => parseJoinToken(text), { code: 'malformed-token' })
})

t.test('a secret stands for one key', async (t) => {
  t.equal(joinKeyOf(token.secret).trusted.keyId, joinKeyOf(token.secret).trusted.keyId)
  t.not(joinKeyOf(token.secret).trusted.keyId, joinKeyOf(newJoinSecret()).trusted.keyId)
})
