import t from 'tap'
import { parseJoinAnswer, parseJoinRequest } from '../../../shared/messages/join.ts'
import { parseMessage } from '../../../shared/messages/parse-message.ts'
import { type OldMessage, oldBlockFrame, oldMessages } from '../../version-0.1.ts'

/** What our reader makes of a message; undefined where it refuses it. */
function read({ topic, payload }: Pick<OldMessage, 'topic' | 'payload'>): unknown {
  const bytes = Buffer.from(JSON.stringify(payload))
  if (topic.endsWith('/request')) return parseJoinRequest(bytes)
  if (topic.endsWith('/answer')) return parseJoinAnswer(bytes)
  const parsed = parseMessage(topic, bytes)
  return parsed.ok ? parsed.message.payload : undefined
}

const messages = oldMessages()
const named = (wanted: string): OldMessage => {
  const found = messages.find(({ name }) => name === wanted)
  if (!found) throw new Error(`version 0.1 left no ${wanted}`)
  return found
}

t.test('version 0.1 left a message of every kind', async (t) => {
  const install = ['accepted', 'downloading', 'verified', 'installed', 'active', 'rolled-back']
  t.same(
    messages.map(({ name }) => name).sort(),
    [
      ...['birth', 'birth-2', 'birth-3', 'death', 'want'],
      ...['assign', 'probe', 'receipt', 'rebirth', 'cancel'].map((kind) => `orders-${kind}`),
      ...['reports-ack', 'reports-health', 'reports-probe-measured', 'reports-probe-failed'],
      ...[...install, 'refused', 'failed'].map((state) => `reports-install-${state}`),
      ...['request-join', 'request-renew', 'answer-issued', 'answer-refused'],
    ].sort(),
  )
})

for (const message of messages) {
  t.test(`${message.name} of version 0.1 is read, and nothing of it is lost`, async (t) => {
    t.match(read(message), message.payload)
  })

  t.test(`${message.name} with fields that were added later is read as before`, async (t) => {
    const before = read(message)
    const later = { ...message, payload: withLaterFields(message.payload) as OldMessage['payload'] }
    t.not(later.payload, message.payload)
    t.strictSame(read(later), before)
  })
}

t.test('a block frame of version 0.1 is read', async (t) => {
  const parsed = parseMessage('fit/1/default/d/pump-1/blocks', oldBlockFrame())
  t.match(parsed, { ok: true, message: { channel: 'blocks', payload: { index: 3 } } })
})

/** Every place where a word may be one that came later. */
const OPEN: readonly (readonly [string, string])[] = [
  ['birth', 'report.architecture'],
  ['birth', 'report.board.source'],
  ['birth', 'report.cpu.features.0'],
  ['birth-2', 'report.accelerators.0.kind'],
  ['birth', 'runtimes.0.name'],
  ['birth', 'runtimes.1.name'],
  ['reports-install-active', 'state'],
  ['reports-probe-measured', 'result.record.verdict'],
  ['reports-probe-measured', 'result.record.latency.stopped'],
]

for (const [name, path] of OPEN) {
  t.test(`a word that came later stays text: ${path} of ${name}`, async (t) => {
    const message = named(name)
    const later = { ...message, payload: withValue(message.payload, path, 'quantum-x.2+b_1') }
    t.match(read(later), later.payload, 'all the rest is read, too')
  })

  t.test(`what is no word is refused: ${path} of ${name}`, async (t) => {
    const message = named(name)
    for (const value of ['', 'a b', 'a\nb', '\u001b[2J', '../up', 'x'.repeat(65), 7, null, {}]) {
      const hostile = { ...message, payload: withValue(message.payload, path, value) }
      t.equal(read(hostile), undefined, JSON.stringify(value))
    }
  })
}

t.test('a list of words is bounded', async (t) => {
  const { topic, payload } = named('birth')
  for (const [path, one] of [
    ['report.cpu.features', 'neon'],
    ['report.accelerators', { kind: 'gpu', evidence: '/dev/x' }],
    ['runtimes', { name: 'litert', version: '1' }],
  ] as const) {
    t.equal(
      read({ topic, payload: withValue(payload, path, new Array(300).fill(one)) }),
      undefined,
      path,
    )
  }
})

t.test(
  'of an order or a report of a later kind is read what its sender must hear of',
  async (t) => {
    for (const name of ['orders-cancel', 'orders-assign', 'reports-ack', 'reports-health']) {
      const { topic, payload } = named(name)
      const later = { v: 1, id: payload.id, kind: 'telemetry', samples: [[1, 2], { deep: null }] }
      t.strictSame(read({ topic, payload: later }), {
        id: payload.id,
        kind: 'later',
        said: 'telemetry',
      })
    }
  },
)

t.test('a kind of ours that is broken is broken, not later', async (t) => {
  const { topic, payload } = named('reports-health')
  t.equal(read({ topic, payload: { ...payload, healthy: 'yes' } }), undefined)
  const parsed = parseMessage(topic, Buffer.from(JSON.stringify({ ...payload, healthy: 'yes' })))
  t.match(parsed, { ok: false, refusal: { code: 'invalid', message: /^"healthy": / } })
})

t.test('an outcome, or a way to measure, that came later is an answer that failed', async (t) => {
  const failed = (text: RegExp) => ({
    kind: 'probe',
    result: { outcome: 'failed', error: { code: 'unknown-outcome', message: text } },
  })
  const { topic, payload } = named('reports-probe-measured')
  const other = withValue(payload, 'result', { outcome: 'postponed', until: 'tonight' })
  t.match(read({ topic, payload: other }), failed(/outcome postponed/))
  const next = withValue(payload, 'result.record.probeVersion', 2)
  t.match(read({ topic, payload: next }), failed(/probe version 2/))
  for (const broken of [7, null, '']) {
    t.equal(
      read({ topic, payload: withValue(payload, 'result.outcome', broken) }),
      undefined,
      `${broken}`,
    )
  }
  const half = withValue(payload, 'result.record.latency.p50Ms', null)
  t.equal(read({ topic, payload: half }), undefined, 'a number that is none')
})

/** Names of files, and texts that are signed: nothing is added inside. */
const CLOSED: ReadonlySet<string> = new Set(['director', 'image', 'roots', 'runtime'])

function withLaterFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLaterFields)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    CLOSED.has(key) ? inner : withLaterFields(inner),
  ])
  return { ...Object.fromEntries(entries), later: { field: [1, null] }, laterStill: 'x' }
}

function withValue(
  value: OldMessage['payload'],
  path: string,
  put: unknown,
): OldMessage['payload'] {
  const copy = structuredClone(value)
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const holder = keys.reduce<Record<string, unknown>>(
    (inner, key) => inner[key] as Record<string, unknown>,
    copy,
  )
  if (!Object.hasOwn(holder, last)) throw new Error(`there is no ${path}`)
  holder[last] = put
  return copy
}
