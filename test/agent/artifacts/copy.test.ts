import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { FetchOptions } from '../../../agent/artifacts/artifact-store.ts'
import { ArtifactCopy } from '../../../agent/artifacts/copy/index.ts'
import {
  ArtifactStore,
  DiskQuota,
  type Gate,
  OPEN_GATE,
  Slots,
} from '../../../agent/artifacts/index.ts'
import { BLOCK_BYTES } from '../../../shared/messages/index.ts'
import { type Behaviour, CopyServer, STRAIGHT } from './copy-server.ts'
import { Sender } from './sender.ts'

const BLOCKS = 20
const never = new AbortController().signal

async function setUp(
  t: Test,
  { gate = OPEN_GATE, directory = t.testdir() }: { gate?: Gate; directory?: string } = {},
) {
  const server = await CopyServer.start(t)
  const sender = new Sender()
  const warnings: string[] = []
  const clock = { ahead: 0 }
  const copy = new ArtifactCopy({
    log: { warn: (_details, message) => warnings.push(message) },
    patience: { answerMs: 5_000, blockMs: 5_000, pauseMs: 60_000, longestPauseMs: 3_600_000 },
  })
  copy.liesAt(server.url)
  const store = new ArtifactStore({
    directory: join(directory, 'artifacts'),
    quota: new DiskQuota(directory, null),
    slots: new Slots(join(directory, 'slots')),
    cacheLimitBytes: 1e9,
    wire: { source: sender, gate, monotonic: () => performance.now() + clock.ahead, window: 8 },
    copy,
  })
  await store.open()
  const offer = (blocks = BLOCKS) => {
    const bytes = randomBytes(blocks * BLOCK_BYTES - 17)
    server.put(bytes)
    return { bytes, ref: sender.offer(bytes) }
  }
  const fetch = (ref: ReturnType<Sender['offer']>, options: Partial<FetchOptions> = {}) =>
    store.fetch(ref, { giveUpMs: Number.POSITIVE_INFINITY, signal: never, ...options })
  return { server, sender, warnings, clock, copy, store, offer, fetch, directory }
}

t.test('an artifact comes in one range, and nothing through the broker', async (t) => {
  const { server, sender, warnings, offer, fetch } = await setUp(t)
  const { bytes, ref } = offer()
  t.ok(readFileSync(await fetch(ref)).equals(bytes))
  t.equal(sender.wants.length, 0)
  t.equal(server.asked.length, 2, 'its list, and all of it')
  t.same(warnings, [])
})

/** A file whose list is right and whose blocks are not as they should be. */
const isList = (file: Buffer) => file.length < BLOCK_BYTES

const bad: readonly { readonly name: string; readonly behave: Behaviour; readonly says: RegExp }[] =
  [
    {
      name: 'nothing is there',
      behave: (response) => response.writeHead(404).end(),
      says: /answers 404/,
    },
    {
      name: 'it is overloaded',
      behave: (response) => response.writeHead(503, { 'retry-after': '600' }).end(),
      says: /answers 503.* in 600 s/,
    },
    {
      name: 'its bytes are others',
      behave: (response, asked, file) =>
        STRAIGHT(response, asked, isList(file) ? file : randomBytes(file.length)),
      says: /other bytes in block 0/,
    },
    {
      name: 'its list is another',
      behave: (response, asked, file) => STRAIGHT(response, asked, randomBytes(file.length)),
      says: /another block list/,
    },
    {
      name: 'its file is longer',
      behave: (response, { from, to }) => {
        response.writeHead(206, { 'content-range': `bytes ${from}-${to}/99999999` }).end('x')
      },
      says: /another range or size/,
    },
    { name: 'it says nothing', behave: () => {}, says: /does not answer/ },
    {
      name: 'it drips',
      behave: (response, asked, file) => {
        if (isList(file)) return STRAIGHT(response, asked, file)
        response.writeHead(206, {
          'content-range': `bytes ${asked.from}-${asked.to}/${file.length}`,
        })
        const drip = setInterval(() => response.write(file.subarray(0, 10)), 20)
        response.on('close', () => clearInterval(drip))
      },
      says: /too slow/,
    },
    {
      name: 'it leads in a circle',
      behave: (response, { path }) => response.writeHead(302, { location: path }).end(),
      says: /leads on more than 3 times/,
    },
    {
      name: 'it leads to where there is no TLS',
      behave: (response) => response.writeHead(302, { location: 'http://example.com/x' }).end(),
      says: /example\.com, which has no TLS/,
    },
    {
      name: 'it compresses',
      behave: (response) => response.writeHead(206, { 'content-encoding': 'gzip' }).end(),
      says: /encoding gzip/,
    },
    {
      name: 'it breaks off before every block',
      behave: (response, { from }, file) => {
        response.writeHead(206, {
          'content-range': `bytes ${from}-${file.length - 1}/${file.length}`,
        })
        response.write('x', () => response.destroy())
      },
      says: /the other side broke off|ends too early/,
    },
  ]

for (const { name, behave, says } of bad) {
  t.test(
    `${name}: the broker brings the rest, and the copy is left alone for a while`,
    async (t) => {
      const { server, sender, warnings, clock, offer, fetch } = await setUp(t)
      server.behave = behave
      const { bytes, ref } = offer()
      t.ok(readFileSync(await fetch(ref)).equals(bytes))
      t.ok(sender.blocks > 0)
      t.equal(warnings.length, 1, 'said once')
      t.match(warnings[0], says)
      const asked = server.asked.length
      server.behave = STRAIGHT
      await fetch(offer().ref)
      t.equal(server.asked.length, asked, 'not asked meanwhile')
      clock.ahead = 601_000
      const before = sender.blocks
      await fetch(offer().ref)
      t.equal(sender.blocks, before, 'asked again after the pause')
    },
  )
}

t.test('nobody listens there: the broker brings it', async (t) => {
  const { copy, warnings, offer, fetch } = await setUp(t)
  const closed = createServer().listen(0, 'localhost')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  copy.liesAt(`http://localhost:${port}`)
  const { bytes, ref } = offer()
  t.ok(readFileSync(await fetch(ref)).equals(bytes))
  t.match(warnings, [/nobody listens there/])
})

t.test('a connection that ends on the way is taken up where it ended', async (t) => {
  const { server, sender, warnings, offer, fetch } = await setUp(t)
  let cuts = 0
  server.behave = (response, asked, file) => {
    if (isList(file) || cuts === 3) return STRAIGHT(response, asked, file)
    cuts += 1
    const { from, to } = asked
    response.writeHead(206, { 'content-range': `bytes ${from}-${to}/${file.length}` })
    response.write(file.subarray(from, from + 4 * BLOCK_BYTES + 5), () =>
      setTimeout(() => response.destroy(), 500),
    )
  }
  const { bytes, ref } = offer()
  t.ok(readFileSync(await fetch(ref)).equals(bytes))
  t.equal(sender.wants.length, 0)
  const began = server.asked.slice(1).map(({ from }) => from / BLOCK_BYTES)
  t.equal(began.length, 4)
  t.ok(
    began.every((from, i) => i === 0 || from > (began[i - 1] ?? 0)),
    began.join(),
  )
  t.same(warnings, [])
})

t.test('a server that knows no ranges is read past what is here', async (t) => {
  const { sender, offer, fetch, directory } = await setUp(t)
  const { bytes, ref } = offer()
  const leaving = new AbortController()
  const progress = (bytesDone: number) => {
    if (bytesDone > 4 * BLOCK_BYTES) leaving.abort()
  }
  await t.rejects(fetch(ref, { signal: leaving.signal, progress }), { code: 'aborted' })
  const next = await setUp(t, { directory })
  next.server.put(bytes)
  next.sender.offer(bytes)
  next.server.behave = (response, _asked, file) => {
    response.writeHead(200, { 'content-length': file.length }).end(file)
  }
  t.ok(readFileSync(await next.fetch(ref)).equals(bytes))
  t.equal(next.server.asked.length, 1)
  t.ok((next.server.asked[0]?.from ?? 0) >= 5 * BLOCK_BYTES, 'what is on disk is not asked for')
  t.equal(sender.wants.length + next.sender.wants.length, 0)
})

t.test('while something is measured nothing is fetched', async (t) => {
  const listeners = new Set<() => void>()
  const gate = {
    open: true,
    onOpen: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const { server, sender, offer, fetch } = await setUp(t, { gate })
  const { bytes, ref } = offer()
  server.behave = (response, asked, file) => {
    if (!isList(file) && asked.from === 0) {
      gate.open = false
      setTimeout(() => {
        t.equal(server.asked.length, 2, 'nothing is asked for meanwhile')
        gate.open = true
        for (const listener of listeners) listener()
      }, 200)
    }
    STRAIGHT(response, asked, file)
  }
  t.ok(readFileSync(await fetch(ref)).equals(bytes))
  t.equal(server.asked.length, 3, 'it went on afterwards')
  t.equal(sender.wants.length, 0)
})

for (const url of ['http://example.com', 'ftp://example.com/x', 'nonsense']) {
  t.test(`${url} is not used, and said once`, async (t) => {
    const { copy, warnings, sender, offer, fetch } = await setUp(t)
    copy.liesAt(url)
    copy.liesAt(url)
    await fetch(offer().ref)
    t.ok(sender.blocks > 0)
    t.equal(warnings.length, 1)
  })
}

t.test('a copy that the planner no longer names is not asked', async (t) => {
  const { copy, server, offer, fetch } = await setUp(t)
  copy.liesAt(undefined)
  await fetch(offer().ref)
  t.equal(server.asked.length, 0)
})
