import t from 'tap'
import { type Acceptance, acceptAssignment } from '../../../agent/daemon/acceptance.ts'
import type { Assignment } from '../../../shared/messages/index.ts'
import { generateKeyPair, signPayload } from '../../../shared/signatures/index.ts'
import { assignmentOf, releaseKey } from '../orders.ts'

const digest = 'a'.repeat(64)
const artifact = { digest, bytes: 1_000, blockList: 'b'.repeat(64) }
const now = new Date('2026-11-23T12:00:00Z')

const here: Acceptance = {
  device: 'd1',
  trusted: releaseKey.trusted,
  now,
  runtimes: ['litert'],
  memoryLimitBytes: 1_000,
  latest: () => ({ counter: 3, variant: digest }),
}

interface Row {
  readonly name: string
  readonly draft?: Partial<Assignment>
  readonly here?: Partial<Acceptance>
  readonly code?: string
}

const later = new Date(now.getTime() + 1).toISOString()
const earlier = new Date(now.getTime() - 1).toISOString()

const ROWS: readonly Row[] = [
  { name: 'all is well' },
  { name: 'the same counter for the same variant', draft: { counter: 3 } },
  { name: 'the first of a model', draft: { counter: 1 }, here: { latest: () => undefined } },
  {
    name: 'issued in the future: this clock may be slow',
    draft: { issuedAt: '2030-01-01T00:00:00Z' },
  },
  { name: 'for another device', draft: { device: 'd2' }, code: 'wrong-device' },
  { name: 'expired a moment ago', draft: { expiresAt: earlier }, code: 'expired' },
  { name: 'a lower counter', draft: { counter: 2 }, code: 'rollback' },
  {
    name: 'the same counter for another variant',
    draft: { counter: 3 },
    here: { latest: () => ({ counter: 3, variant: 'c'.repeat(64) }) },
    code: 'rollback',
  },
  {
    name: 'variant and artifact differ',
    draft: { variant: 'c'.repeat(64) },
    code: 'not-a-variant',
  },
  { name: 'a runtime that is not here', draft: { runtime: 'onnxruntime' }, code: 'wrong-runtime' },
  { name: 'no runtime at all', here: { runtimes: [] }, code: 'wrong-runtime' },
  { name: 'more bytes than memory', here: { memoryLimitBytes: 999 }, code: 'memory-limit' },
  {
    name: 'another key is trusted',
    here: { trusted: generateKeyPair().trusted },
    code: 'untrusted-key',
  },
]

for (const row of ROWS) {
  t.test(`${row.name}: ${row.code ?? 'accepted'}`, (t) => {
    const assignment = assignmentOf({ artifact, counter: 4, expiresAt: later, ...row.draft })
    const signed = signPayload(JSON.stringify(assignment), releaseKey)
    const accept = () => acceptAssignment(signed, { ...here, ...row.here })
    if (row.code) t.throws(accept, { code: row.code })
    else t.same(accept(), assignment)
    t.end()
  })
}

t.test('a changed payload is refused before it is read', (t) => {
  const signed = signPayload(JSON.stringify(assignmentOf({ artifact })), releaseKey)
  const payload = signed.payload.replace('"d1"', '"d2"')
  t.throws(() => acceptAssignment({ ...signed, payload }, here), { code: 'bad-signature' })
  t.end()
})

t.test('signed text that is no assignment is refused', (t) => {
  for (const text of ['', '{}', '[1]', 'null', '{"device":"d1"}']) {
    t.throws(() => acceptAssignment(signPayload(text, releaseKey), here), {
      code: 'malformed-assignment',
    })
  }
  t.end()
})
