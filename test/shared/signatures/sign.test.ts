import { generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { signedSchema } from '../../../shared/signatures/envelope.ts'
import {
  generateKeyPair,
  parseSigningKey,
  parseTrustedKey,
  printSigningKey,
  printTrustedKey,
} from '../../../shared/signatures/keys.ts'
import { signPayload, verifySigned } from '../../../shared/signatures/sign.ts'

const key = generateKeyPair()
const payload = JSON.stringify({ model: 'ic01', note: 'Größe ≤ 100 KB 🙂' })

t.test('a signed payload is believed, after a trip through JSON and the pasted key', async (t) => {
  const signed = signedSchema.parse(JSON.parse(JSON.stringify(signPayload(payload, key, 'join'))))
  t.equal(verifySigned(signed, parseTrustedKey(printTrustedKey(key.trusted)), 'join'), payload)
})

t.test('refuses what was changed, mixed or signed by another', async (t) => {
  const signed = signPayload(payload, key, 'join')
  const other = generateKeyPair()
  const byOther = signPayload(payload, other, 'join')
  const verifying = (changes: object) => () =>
    verifySigned({ ...signed, ...changes }, key.trusted, 'join')
  t.throws(verifying({ payload: `${payload} ` }), { code: 'bad-signature' })
  t.throws(verifying({ signature: byOther.signature }), { code: 'bad-signature' })
  t.throws(verifying({ signature: '' }), { code: 'bad-signature' })
  t.throws(verifying({ signature: 'not base64 at all' }), { code: 'bad-signature' })
  t.throws(verifying({ keyId: other.trusted.keyId }), { code: 'untrusted-key' })
  t.throws(() => verifySigned(byOther, key.trusted, 'join'), { code: 'untrusted-key' })
})

t.test('a signature over the bare text, without the purpose, is worth nothing', async (t) => {
  const bare = sign(null, Buffer.from(payload), key.privateKey).toString('base64')
  const signed = { payload, keyId: key.trusted.keyId, signature: bare }
  t.throws(() => verifySigned(signed, key.trusted, 'join'), { code: 'bad-signature' })
})

t.test('two texts never share a signature: a lone surrogate is not U+FFFD', async (t) => {
  const signed = signPayload('x\ufffd', key, 'join')
  t.throws(() => verifySigned({ ...signed, payload: 'x\ud800' }, key.trusted, 'join'), {
    code: 'bad-signature',
  })
  t.throws(() => signPayload('x\ud800', key, 'join'), { code: 'invariant' })
})

t.test('a pasted key must be whole', async (t) => {
  const printed = printTrustedKey(key.trusted)
  t.match(printed, /^ed25519:[A-Za-z0-9_-]{43}$/)
  t.equal(parseTrustedKey(` ${printed}\n`).keyId, key.trusted.keyId)
  for (const bad of [
    '',
    'ed25519:',
    printed.slice(0, -1),
    `${printed}A`,
    printed.slice(8),
    'ed25519:§',
  ])
    t.throws(() => parseTrustedKey(bad), { code: 'malformed-key' }, JSON.stringify(bad))
})

t.test('a private key comes back from PEM; other keys and noise do not', async (t) => {
  t.equal(parseSigningKey(printSigningKey(key)).trusted.keyId, key.trusted.keyId)
  t.throws(() => parseSigningKey('noise'), { code: 'malformed-key' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  t.throws(() => parseSigningKey(rsa.export({ format: 'pem', type: 'pkcs8' }).toString()), {
    code: 'malformed-key',
  })
})
