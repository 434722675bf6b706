import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  EVENT_DATA,
  type EventKind,
  eventSchema,
} from '../../../planner/api/contract/event-kinds.ts'
import { eventOf } from '../../../planner/api/webhooks/events-of.ts'
import { afterFailure } from '../../../planner/api/webhooks/patience.ts'
import { audit } from '../../../planner/storage/index.ts'
import { ScriptedDevice } from '../conductor/scripted-fleet.ts'
import { httpPlanner } from './http-planner.ts'

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

/** A receiver of the test's own; how it answers is the story. */
async function receiver(t: Test, answer: (response: ServerResponse, count: number) => void) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.once('end', () => {
      received.push({ headers: request.headers, text: Buffer.concat(chunks).toString('utf8') })
      answer(response, received.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const until = async (count: number) => {
    while (received.length < count) await new Promise((resolve) => setTimeout(resolve, 20))
    return received
  }
  return { url: `http://127.0.0.1:${port}/hook`, received, until }
}

const good = (response: ServerResponse) => response.writeHead(204).end()

/** As the specification says it, from its words: base64 of HMAC-SHA256 over id, time and body. */
function isSigned(secret: string, { headers, text }: Received): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  const expected = createHmac('sha256', key).update(signed).digest('base64')
  return headers['webhook-signature'] === `v1,${expected}`
}

t.test('an event reaches whoever wants it, signed, while another receiver hangs', async (t) => {
  const { ask, planner } = await httpPlanner(t)
  const hanging = await receiver(t, () => {})
  const eager = await receiver(t, good)
  const picky = await receiver(t, good)
  await new ScriptedDevice('before', planner).join()
  const add = async (name: string, url: string, kinds?: readonly EventKind[]) => {
    const { body, status } = await ask('POST', '/api/v1/webhooks', { body: { name, url, kinds } })
    t.equal(status, 201)
    return body as { secret: string }
  }
  await add('hanging', hanging.url)
  const { secret } = await add('eager', eager.url)
  await add('picky', picky.url, ['device.retired'])
  await new ScriptedDevice('d0', planner).join()
  await ask('POST', '/api/v1/devices/d0/retire', { body: { reason: 'broken', undo: false } })
  const all = await eager.until(2)
  const told = all.map(({ text }) => eventSchema.parse(JSON.parse(text)))
  t.match(told, [
    { kind: 'device.joined', fleet: 'default', data: { device: 'd0' } },
    { kind: 'device.retired', data: { device: 'd0', reason: 'broken' } },
  ])
  t.ok(all.every((one) => isSigned(secret, one)))
  t.match(all[0]?.headers['webhook-id'], told[0]?.id)
  const [only] = await picky.until(1)
  t.match(JSON.parse(only?.text ?? ''), { kind: 'device.retired' })
  await hanging.until(1)
  t.equal((await ask('GET', '/api/v1/devices')).status, 200)
  const { body } = await ask('GET', '/api/v1/webhooks')
  t.notMatch(JSON.stringify(body), secret)
})

t.test('what fails is tried again, given up, seen, and tried once more by hand', async (t) => {
  const { ask, planner } = await httpPlanner(t)
  let isUp = false
  const { url, until, received } = await receiver(t, (response) =>
    isUp
      ? good(response)
      : response
          .writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' })
          .end('x'.repeat(100_000)),
  )
  await ask('POST', '/api/v1/webhooks', { body: { name: 'chat', url } })
  await new ScriptedDevice('d0', planner).join()
  const later = () => {
    planner.clock.now = new Date(planner.clock.now.getTime() + 8 * 3_600_000)
  }
  for (let attempt = 1; attempt <= 12; attempt += 1) {
    await until(attempt)
    const answered = async () => {
      const { body } = await ask('GET', '/api/v1/webhooks')
      return (body as { items: { lastAnswer: string | null }[] }).items[0]?.lastAnswer
    }
    while ((await answered()) !== 'HTTP 302')
      await new Promise((resolve) => setTimeout(resolve, 20))
    later()
  }
  const dead = async () =>
    (await ask('GET', '/api/v1/deliveries/dead')).body as { items: { id: string }[] }
  while ((await dead()).items.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  const [one] = (await dead()).items
  t.match(one, { webhook: 'chat', kind: 'device.joined', state: 'dead', attempts: 12 })
  t.equal(new Set(received.map(({ headers }) => headers['webhook-id'])).size, 1, 'one event')
  isUp = true
  const retried = await ask('POST', `/api/v1/deliveries/${one?.id}/retry`)
  t.match(retried, { status: 200, body: { state: 'waiting', attempts: 0 } })
  await until(13)
  t.same((await dead()).items, [])
  t.match(await ask('POST', `/api/v1/deliveries/${one?.id}/retry`), {
    status: 404,
    body: { code: 'unknown-delivery' },
  })
})

t.test('pauses grow, end after a day, and never stand still', (t) => {
  const now = new Date('2026-11-29T00:00:00Z')
  const pauses = Array.from({ length: 11 }, (_, index) => {
    const { state, nextAt } = afterFailure(index + 1, now, () => 0)
    t.equal(state, 'waiting')
    return (Date.parse(nextAt) - now.getTime()) / 1000
  })
  t.same(pauses.slice(0, 4), [5, 15, 45, 135])
  t.equal(pauses.at(-1), 6 * 3600)
  t.equal(afterFailure(12, now).state, 'dead')
  t.end()
})

t.test('an address that would leak, or is none, is refused', async (t) => {
  const { ask } = await httpPlanner(t)
  for (const [url, detail] of [
    ['http://chat.example/hook', /no TLS/],
    ['ftp://chat.example/hook', /no address of a receiver/],
    ['chat.example', /no address of a receiver/],
    ['https://ann:secret@chat.example/', /leave out user and password/],
  ] as const) {
    const answered = await ask('POST', '/api/v1/webhooks', { body: { name: 'chat', url } })
    t.match(answered, { status: 422, body: { code: 'bad-address', detail } })
  }
})

t.test(
  'every kind of event is made of what the audit really says, in its documented shape',
  async (t) => {
    const { ask, planner } = await httpPlanner(t)
    await new ScriptedDevice('d0', planner).join()
    await planner.conductor.store.recordDouble('d0')
    await ask('POST', '/api/v1/devices/d0/retire', { body: { reason: 'old', undo: false } })
    await ask('POST', '/api/v1/devices/d0/retire', { body: { reason: '', undo: true } })
    await ask('POST', '/api/v1/devices/d0/revoke', { body: { reason: 'lost' } })
    await ask('DELETE', '/api/v1/devices/d0?reason=sold')
    const { db } = planner.conductor.context
    const entries = await audit.readAudit(db, { limit: 100 })
    const made = entries.flatMap((entry) => eventOf(entry) ?? [])
    for (const { kind, data } of made) t.same(EVENT_DATA[kind].strict().parse(data), data, kind)
    const kinds = new Set(made.map(({ kind }) => kind))
    for (const kind of [
      'joined',
      'double',
      'retired',
      'reinstated',
      'revoked',
      'removed',
    ] as const) {
      t.ok(kinds.has(`device.${kind}`), kind)
    }
  },
)
