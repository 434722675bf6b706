import t from 'tap'
import { printBlockFrame } from '../../../shared/messages/block-frame.ts'
import {
  MAX_MESSAGE_BYTES,
  type MessageRefusalCode,
  parseMessage,
  printMessage,
} from '../../../shared/messages/parse-message.ts'
import { CHANNELS, type Channel, printTopic } from '../../../shared/messages/topics.ts'
import { printMissing, type Want } from '../../../shared/messages/want.ts'
import { DIGEST, sampleAck, sampleBirth, sampleCancel } from './samples.ts'

const topicOf = (channel: Channel) => printTopic({ fleet: 'default', device: 'pi-1', channel })
const want: Want = {
  v: 1,
  id: 'want-1',
  artifact: DIGEST,
  from: 0,
  missing: printMissing(0, [0, 1]),
  credit: 131_072,
}

t.test('what is printed is parsed again, unknown fields dropped', async (t) => {
  const printed = [
    ['birth', sampleBirth(), printMessage('birth', sampleBirth())],
    ['orders', sampleCancel(), printMessage('orders', sampleCancel())],
    ['reports', sampleAck('r1'), printMessage('reports', sampleAck('r1'))],
    ['want', want, printMessage('want', want)],
  ] as const
  for (const [channel, payload, bytes] of printed) {
    const parsed = parseMessage(topicOf(channel), bytes)
    t.strictSame(parsed, {
      ok: true,
      message: { fleet: 'default', device: 'pi-1', channel, payload },
    })
    const extended = Buffer.from(JSON.stringify({ ...payload, later: { field: [1] } }))
    t.strictSame(parseMessage(topicOf(channel), extended), parsed, `${channel} with a new field`)
  }
})

t.test('a block frame arrives as a block', async (t) => {
  const parsed = parseMessage(topicOf('blocks'), printBlockFrame(DIGEST, 7, Buffer.from('bytes')))
  if (!parsed.ok || parsed.message.channel !== 'blocks') {
    t.fail('no block')
    return
  }
  t.equal(parsed.message.payload.index, 7)
  t.equal(parsed.message.payload.prefix, DIGEST.slice(0, 32))
  t.equal(Buffer.from(parsed.message.payload.bytes).toString(), 'bytes')
})

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const refusals: readonly [string, string, Buffer, MessageRefusalCode][] = [
  ['another tree of topics', 'home/lamp', json({}), 'unknown-topic'],
  ['a channel that is none', 'fit/1/default/d/pi-1/party', json({}), 'unknown-topic'],
  ['a device name with a slash', 'fit/1/default/d/a/b/birth', json({}), 'unknown-topic'],
  [
    'a device name with control characters',
    'fit/1/default/d/a\u0000/birth',
    json({}),
    'unknown-topic',
  ],
  ['an empty message', topicOf('reports'), Buffer.alloc(0), 'not-json'],
  ['bytes that are no UTF-8', topicOf('reports'), Buffer.from([0x22, 0xff, 0x22]), 'not-json'],
  ['half a message', topicOf('birth'), json(sampleBirth()).subarray(0, 200), 'not-json'],
  ['a number', topicOf('reports'), json(7), 'invalid'],
  ['null', topicOf('orders'), json(null), 'invalid'],
  ['an array', topicOf('want'), json([want]), 'invalid'],
  ['a later version', topicOf('birth'), json({ ...sampleBirth(), v: 2 }), 'unknown-version'],
  [
    'a later kind of order in a later version',
    topicOf('orders'),
    json({ ...sampleCancel(), v: 2, kind: 'dance' }),
    'unknown-version',
  ],
  [
    'a later kind of report without an id',
    topicOf('reports'),
    json({ ...sampleAck('r'), id: undefined, kind: 'sing' }),
    'invalid',
  ],
  [
    'a kind that is no word',
    topicOf('reports'),
    json({ ...sampleAck('r'), kind: 'sing\n\u001b[2J' }),
    'invalid',
  ],
  ['a kind that is no text', topicOf('reports'), json({ ...sampleAck('r'), kind: 7 }), 'invalid'],
  [
    'a kind from the prototype',
    topicOf('reports'),
    Buffer.from('{"v":1,"kind":"toString"}'),
    'invalid',
  ],
  ['a field of the wrong type', topicOf('want'), json({ ...want, from: 'start' }), 'invalid'],
  ['a bitmap that is no base64', topicOf('want'), json({ ...want, missing: '§§' }), 'invalid'],
  ['credit without bound', topicOf('want'), json({ ...want, credit: 1e12 }), 'invalid'],
  ['a million brackets', topicOf('birth'), Buffer.alloc(100_000, '['), 'too-deep'],
  [
    'a block of nothing',
    topicOf('blocks'),
    printBlockFrame(DIGEST, 0, Buffer.alloc(1)).subarray(0, 24),
    'invalid',
  ],
  ['a block with another magic', topicOf('blocks'), Buffer.alloc(100), 'invalid'],
]

for (const [name, topic, bytes, code] of refusals) {
  t.test(`refuses ${name}`, async (t) => {
    const parsed = parseMessage(topic, bytes)
    if (parsed.ok) {
      t.fail('accepted')
      return
    }
    t.equal(parsed.refusal.code, code, parsed.refusal.message)
    t.notMatch(parsed.refusal.message, /\n/)
    t.ok(parsed.refusal.message.length < 300)
  })
}

for (const channel of Object.keys(CHANNELS) as Channel[]) {
  t.test(`refuses more bytes on ${channel} than the channel takes, unread`, async (t) => {
    const parsed = parseMessage(topicOf(channel), Buffer.alloc(MAX_MESSAGE_BYTES[channel] + 1, '{'))
    t.match(parsed, { ok: false, refusal: { code: 'too-large' } })
  })
}

t.test('brackets inside strings are no depth', async (t) => {
  const report = { ...sampleAck('r1'), id: '[[[[[[[[[[[[[[[[[[[[\\"[[[[[[[[[[[[' }
  t.match(parseMessage(topicOf('reports'), json(report)), { ok: true })
})

t.test('mutated and cut messages never throw', async (t) => {
  let seed = 0x2545f491
  const next = () => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return seed >>> 0
  }
  const samples = [json(sampleBirth()), json(sampleCancel()), json(want), json(sampleAck('r1'))]
  for (let round = 0; round < 5_000; round += 1) {
    const bytes = Buffer.from(samples[next() % samples.length] as Buffer)
    for (let flips = next() % 8; flips >= 0; flips -= 1) bytes[next() % bytes.length] = next()
    const cut = next() % 2 === 0 ? bytes : bytes.subarray(0, next() % bytes.length)
    for (const channel of Object.keys(CHANNELS) as Channel[]) {
      parseMessage(topicOf(channel), cut)
    }
  }
  t.pass('survived')
})
