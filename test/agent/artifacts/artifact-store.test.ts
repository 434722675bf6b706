import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ArtifactStore, DiskQuota, OPEN_GATE, Slots } from '../../../agent/artifacts/index.ts'
import { type ArtifactRef, BLOCK_BYTES } from '../../../shared/messages/index.ts'
import { fillUp, smallDisk, WITHOUT_SMALL_DISK } from '../small-disk.ts'
import { installedModelOf } from './installed-model.ts'
import { Sender, type Way } from './sender.ts'

interface Setting {
  readonly directory?: string
  readonly limitBytes?: number | null
  readonly cacheLimitBytes?: number
}

async function setUp(t: Test, setting: Setting = {}) {
  const stateDir = setting.directory ?? t.testdir()
  const sender = new Sender()
  const slots = new Slots(join(stateDir, 'slots'))
  // Hours pass in a test by moving this: timers tick in real time, deadlines by this clock.
  const clock = { ahead: 0 }
  const store = new ArtifactStore({
    directory: join(stateDir, 'artifacts'),
    quota: new DiskQuota(stateDir, setting.limitBytes ?? null),
    slots,
    cacheLimitBytes: setting.cacheLimitBytes ?? 1e9,
    wire: {
      source: sender,
      gate: OPEN_GATE,
      monotonic: () => performance.now() + clock.ahead,
      window: 8,
    },
  })
  await store.open()
  return { stateDir, sender, slots, store, clock, partials: join(stateDir, 'artifacts', 'partial') }
}

function options(giveUpMs = Number.POSITIVE_INFINITY, signal = new AbortController().signal) {
  return { giveUpMs, signal }
}

const MIB = 1024 * 1024

/** Fetched, and what `motor` runs from now on. */
async function installed(store: ArtifactStore, slots: Slots, ref: ArtifactRef): Promise<void> {
  const file = await store.fetch(ref, options())
  await slots.install(
    {
      v: 1,
      model: 'motor',
      variant: ref.digest,
      bytes: ref.bytes,
      runtime: 'litert',
      scheme: 'float32',
      class: 'x',
      revision: null,
      counter: 1,
      installedAt: new Date().toISOString(),
    },
    installedModelOf(ref.digest),
    file,
  )
  await slots.switchTo('motor', ref.digest)
  await store.forget(ref.digest)
}

const ways: readonly { readonly name: string; readonly way: Way }[] = [
  { name: 'in order', way: (frame) => [frame] },
  { name: 'each twice', way: (frame) => [frame, frame] },
  {
    name: 'some lost, which later ones overtake',
    way: (frame, times) =>
      frame.index % 7 === 3 && frame.index < 14 && times === 1 ? [] : [frame],
  },
  {
    name: 'some wrong at first',
    way: (frame, times) =>
      frame.index % 9 === 4 && times === 1 && frame.bytes.length === BLOCK_BYTES
        ? [{ ...frame, bytes: randomBytes(BLOCK_BYTES) }]
        : [frame],
  },
  {
    name: 'mixed with frames that nobody asked for',
    way: (frame) => [
      { ...frame, index: 9_999 },
      frame,
      { ...frame, bytes: frame.bytes.subarray(1) },
    ],
  },
]

for (const { name, way } of ways) {
  t.test(`blocks that come ${name} make the same file`, async (t) => {
    const { sender, store, partials } = await setUp(t)
    const bytes = randomBytes(40 * BLOCK_BYTES + 123)
    const ref = sender.offer(bytes)
    sender.way = way
    const file = await store.fetch(ref, options())
    t.ok(readFileSync(file).equals(bytes))
    t.same(readdirSync(partials), [])
    t.ok(sender.wants.length < 40, 'requests ask for many blocks at once')
  })
}

t.test('a restart asks only for blocks that are missing or spoiled on disk', async (t) => {
  const { stateDir, sender, store, partials } = await setUp(t)
  const bytes = randomBytes(32 * BLOCK_BYTES)
  const ref = sender.offer(bytes)
  const stop = new AbortController()
  sender.way = (frame) => {
    if (frame.index === 20) stop.abort()
    return frame.index >= 20 && !ref.blockList.startsWith(frame.prefix) ? [] : [frame]
  }
  await t.rejects(store.fetch(ref, options(Number.POSITIVE_INFINITY, stop.signal)), {
    code: 'aborted',
  })
  const partial = join(partials, ref.digest)
  const present = readFileSync(partial).length / BLOCK_BYTES
  t.ok(present >= 8, `${present} blocks are on disk`)
  const spoiled = readFileSync(partial)
  spoiled.fill(0, BLOCK_BYTES, 2 * BLOCK_BYTES)
  writeFileSync(partial, spoiled)

  const next = await setUp(t, { directory: stateDir })
  next.sender.offer(bytes)
  await next.store.fetch(ref, options())
  t.equal(next.sender.blocks, 32 - present + 1, 'the rest, and the one that was spoiled')
  t.notOk(
    next.sender.wants.some(({ artifact }) => artifact === ref.blockList),
    'the list was kept',
  )
})

t.test('a broker that goes away delays a download and fails nothing', async (t) => {
  const { sender, store } = await setUp(t)
  const bytes = randomBytes(30 * BLOCK_BYTES)
  const ref = sender.offer(bytes)
  sender.way = (frame, times) => {
    if (frame.index === 10 && times === 1) {
      sender.connected = false
      setTimeout(() => sender.reconnect(), 50)
    }
    return sender.connected ? [frame] : []
  }
  const file = await store.fetch(ref, options())
  t.ok(readFileSync(file).equals(bytes))
})

t.test('failures say what to do and leave nothing behind', async (t) => {
  await t.test('blocks that are wrong again and again', async (t) => {
    const { sender, store, partials } = await setUp(t)
    const ref = sender.offer(randomBytes(20 * BLOCK_BYTES))
    sender.way = (frame) =>
      ref.blockList.startsWith(frame.prefix)
        ? [frame]
        : [{ ...frame, bytes: randomBytes(BLOCK_BYTES) }]
    await t.rejects(store.fetch(ref, options()), { code: 'wrong-digest' })
    t.same(readdirSync(partials), [])
  })

  await t.test('a block list that is another one', async (t) => {
    const { sender, store } = await setUp(t)
    const ref = sender.offer(randomBytes(5 * BLOCK_BYTES), randomBytes(5 * 32))
    await t.rejects(store.fetch(ref, options()), { code: 'wrong-digest', message: /block list/ })
  })

  await t.test('blocks that are right, of an artifact with another name', async (t) => {
    const { sender, store, partials } = await setUp(t)
    const ref = sender.offer(randomBytes(5 * BLOCK_BYTES))
    const other = sender.offer(randomBytes(5 * BLOCK_BYTES))
    await t.rejects(store.fetch({ ...ref, blockList: other.blockList }, options()), {
      code: 'wrong-digest',
    })
    t.same(readdirSync(partials), [])
  })

  await t.test('nobody answers', async (t) => {
    const { sender, store, clock } = await setUp(t)
    const ref = sender.offer(randomBytes(BLOCK_BYTES))
    sender.way = () => []
    const failed = t.rejects(store.fetch(ref, options(60_000)), { code: 'download-stalled' })
    setTimeout(() => {
      clock.ahead = 61_000
    }, 20)
    await failed
  })

  await t.test('more than the budget, with the numbers', async (t) => {
    const { sender, store } = await setUp(t, { limitBytes: 3 * MIB })
    const ref = sender.offer(randomBytes(4 * MIB))
    t.match(await store.refusal(ref), { code: 'storage-full' })
    await t.rejects(store.fetch(ref, options()), {
      code: 'storage-full',
      message: /needs 4\.0 MiB, 3\.0 MiB are free of the 3\.0 MiB/,
    })
    t.equal(sender.wants.length, 0, 'nothing was asked for')
  })
})

t.test('the cache gives up what was used longest ago, never what is held', async (t) => {
  const { sender, store } = await setUp(t, { cacheLimitBytes: 2.5 * MIB })
  const [a, b, c] = [1, 2, 3].map(() => sender.offer(randomBytes(MIB))) as [
    ReturnType<Sender['offer']>,
    ReturnType<Sender['offer']>,
    ReturnType<Sender['offer']>,
  ]
  const pause = () => new Promise((resolve) => setTimeout(resolve, 15))
  for (const ref of [a, b]) {
    await store.fetch(ref, options())
    await pause()
  }
  const release = store.hold(a.digest)
  await store.fetch(c, options())
  t.ok(await store.locate(a.digest))
  t.notOk(await store.locate(b.digest), 'the older of those that nobody holds')
  release()
  await pause()
  await store.fetch(b, options())
  t.notOk(await store.locate(c.digest))
})

t.test(
  'room is made by giving up the cache, then previous slots, but never current ones',
  async (t) => {
    const { sender, store, slots } = await setUp(t, { limitBytes: 3.2 * MIB })
    const install = (ref: ReturnType<Sender['offer']>) => installed(store, slots, ref)
    const old = sender.offer(randomBytes(MIB))
    const current = sender.offer(randomBytes(MIB))
    await install(old)
    await install(current)
    const cached = sender.offer(randomBytes(MIB))
    await store.fetch(cached, options())
    const large = sender.offer(randomBytes(2 * MIB))
    await store.fetch(large, options())
    t.notOk(await store.locate(cached.digest))
    t.same(await slots.links('motor'), { current: current.digest, previous: null })
    t.match(await store.refusal(sender.offer(randomBytes(2.5 * MIB))), { code: 'storage-full' })
    t.ok(await slots.isGood('motor', current.digest))
  },
)

t.test('a file that was spoiled in the cache is fetched again', async (t) => {
  const { sender, store } = await setUp(t)
  const ref = sender.offer(randomBytes(3 * BLOCK_BYTES))
  const file = await store.fetch(ref, options())
  writeFileSync(file, 'rust')
  t.equal(await store.locate(ref.digest), undefined)
  t.ok((await store.fetch(ref, options())).endsWith(ref.digest))
})

t.test('a disk that fills up while writing: told so, and the partial file is gone', async (t) => {
  const disk = smallDisk(t, 3 * MIB)
  if (disk === undefined) {
    t.comment(WITHOUT_SMALL_DISK)
    return
  }
  const { sender, store, stateDir, partials } = await setUp(t, { directory: disk })
  const bytes = randomBytes(1.5 * MIB)
  const ref = sender.offer(bytes)
  sender.way = (frame) => {
    const ballast = join(stateDir, 'ballast')
    if (frame.index === 2 && !existsSync(ballast)) fillUp(ballast)
    return [frame]
  }
  await t.rejects(store.fetch(ref, options()), { code: 'disk-full', message: /free some space/ })
  t.same(readdirSync(partials), [])
})

t.test(
  'blocks that an installed variant has are not fetched, wherever they lie in it',
  async (t) => {
    const { sender, store, slots } = await setUp(t)
    const old = randomBytes(20 * BLOCK_BYTES + 9)
    await installed(store, slots, sender.offer(old))
    const next = Buffer.concat([
      old.subarray(0, 12 * BLOCK_BYTES),
      randomBytes(BLOCK_BYTES),
      old.subarray(12 * BLOCK_BYTES),
    ])
    next.fill(1, 3 * BLOCK_BYTES + 5, 3 * BLOCK_BYTES + 6)
    const before = sender.blocks
    const file = await store.fetch(sender.offer(next), options())
    t.ok(readFileSync(file).equals(next))
    t.equal(sender.blocks - before, 2, 'the one that changed, and the one that is new')
  },
)

t.test('an installed variant that was spoiled gives no block that is wrong', async (t) => {
  const { sender, store, slots } = await setUp(t)
  const old = randomBytes(8 * BLOCK_BYTES)
  const ref = sender.offer(old)
  await installed(store, slots, ref)
  const spoiled = Buffer.from(old)
  spoiled.fill(0, 2 * BLOCK_BYTES, 4 * BLOCK_BYTES)
  writeFileSync((await slots.file('motor', ref.digest)) ?? '', spoiled)
  const before = sender.blocks
  const next = Buffer.concat([old, randomBytes(10)])
  t.ok(readFileSync(await store.fetch(sender.offer(next), options())).equals(next))
  t.equal(sender.blocks - before, 3)
})
