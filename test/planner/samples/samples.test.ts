import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startBroker } from '../../../broker/index.ts'
import { removeDevice } from '../../../planner/api/devices/devices.ts'
import { listSamples, readSamples } from '../../../planner/api/health/read-samples.ts'
import type { ConductorSettings } from '../../../planner/conductor/index.ts'
import { type FleetLimits, startFleet } from '../../../planner/fleet/index.ts'
import { parseSelector } from '../../../planner/groups/index.ts'
import { capturedSamples, variants } from '../../../planner/storage/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { newId } from '../../../shared/ids.ts'
import { BLOCK_BYTES, printBlockFrame } from '../../../shared/messages/index.ts'
import { fillUp, smallDisk, WITHOUT_SMALL_DISK } from '../../agent/small-disk.ts'
import { chosenModel } from '../conductor/chosen-model.ts'
import { callOf, openPlanner, type Planner, settle } from '../conductor/scripted-fleet.ts'
import { SpokenDevice, until } from '../fleet/devices.ts'

/** Samples on their way from devices that say what they like to a planner that believes nobody. */
t.setTimeout(180_000)

const QUICK: Partial<FleetLimits> = {
  retryMs: 20,
  longestRetryMs: 40,
  rebirthMs: 20,
  // Longer than a busy machine takes to answer.
  collectMs: 3_000,
  noRoomMs: 50,
}

interface Stage {
  readonly p: Planner
  readonly data: string
  readonly variant: string
  device(name: string): Promise<Device>
}

/** Its planner keeps looking: what a device told of is collected as soon as it was told. */
async function setUp(
  t: Test,
  settings: Partial<ConductorSettings> = {},
  data = t.testdir({}),
): Promise<Stage> {
  const p = await openPlanner(data, settings)
  const { conductor } = p
  const broker = await startBroker({ fleets: ['default'] })
  const link = await startFleet({
    connection: { kind: 'embedded', broker },
    fleet: 'default',
    store: conductor.store,
    samples: conductor.samples,
    limits: QUICK,
  })
  t.teardown(async () => {
    await link.close()
    await broker.close()
    await p.close()
  })
  await chosenModel(conductor.context, 'raspberry-pi-4', {})
  const variant = (await variants.findVariant(conductor.context.db, 'small-a'))?.digest ?? ''
  return {
    p,
    data,
    variant,
    device: async (name) => {
      const spoken = await SpokenDevice.connect(t, broker.port, name)
      await spoken.sayBirth()
      await until(() => spoken.receipts().length > 0)
      await settle(p)
      return new Device(spoken, p, () => link.nudge(name))
    },
  }
}

class Device {
  readonly spoken: SpokenDevice
  readonly #planner: Planner
  readonly #nudge: () => void

  constructor(spoken: SpokenDevice, planner: Planner, nudge: () => void) {
    this.spoken = spoken
    this.#planner = planner
    this.#nudge = nudge
  }

  async tell(samples: readonly { digest: string; bytes: number }[], model = 'motor') {
    const id = newId()
    const at = '2026-11-23T12:00:00.000Z'
    await this.spoken.say('reports', { v: 1, id, at, kind: 'captured', model, samples, gone: [] })
    await until(() => this.spoken.receipts().includes(id))
    await settle(this.#planner)
    this.#nudge()
  }

  /** The next question for a sample, and those after it. */
  async asked(digest: string, after = 0) {
    await until(() => this.#asked(digest).length > after)
    return this.#asked(digest)[after]
  }

  async send(bytes: Buffer, digest = digestOf(bytes), from = 0, blocks = 8): Promise<void> {
    for (let i = from; i < from + blocks; i += 1) {
      const block = bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)
      if (block.length > 0) await this.spoken.say('samples', printBlockFrame(digest, i, block))
    }
  }

  /** Until it is wanted no more; whatever is still asked for of these bytes is sent. */
  async over(digest: string, bytes?: Buffer): Promise<void> {
    const isOver = () =>
      this.spoken.ordersOf('collected').some(({ samples }) => samples.includes(digest))
    for (let seen = this.#asked(digest).length; !isOver(); ) {
      const asked = this.#asked(digest)
      for (const { from, blocks } of bytes ? asked.slice(seen) : [])
        await this.send(bytes as Buffer, digest, from, blocks)
      seen = asked.length
      await sleep(5)
    }
  }

  #asked(digest: string) {
    return this.spoken.ordersOf('collect').filter(({ sample }) => sample === digest)
  }

  /** Told of, asked for, sent, and forgotten. */
  async upload(bytes: Buffer): Promise<string> {
    const digest = digestOf(bytes)
    await this.tell([{ digest, bytes: bytes.length }])
    await this.asked(digest)
    await this.send(bytes)
    await this.over(digest, bytes)
    return digest
  }
}

/** As an agent writes one; spaces make it as long as a test wants it. */
function sample(variant: string, value: number, bytes = 0, over: object = {}): Buffer {
  const text = JSON.stringify({
    at: '2026-11-23T11:59:00.000Z',
    variant,
    why: 'outside',
    inputs: { x: new Array(32 * 32 * 3).fill(value) },
    outputs: { y: [0.5, 0.5, 0, 0, 0, value] },
    ...over,
  })
  return Buffer.from(text.padEnd(bytes, ' '))
}

t.test('what devices tell of is collected in blocks, and read by whom it is for', async (t) => {
  const { p, data, variant, device } = await setUp(t)
  const pi = await device('pi-1')
  const other = await device('pi-2')
  const long = sample(variant, 1, 11 * BLOCK_BYTES + 7)
  const digest = digestOf(long)
  await pi.tell([{ digest, bytes: long.length }])
  t.match(await pi.asked(digest), { model: 'motor', from: 0, blocks: 8 })
  await pi.send(long, digest, 0, 8)
  t.match(await pi.asked(digest, 1), { from: 8, blocks: 4 }, 'the rest, from where it is')
  await pi.send(long, digest, 8, 4)
  await pi.over(digest, long)
  await other.upload(sample(variant, 2))
  const call = callOf(p, 'cli:test')
  const listed = await listSamples({}, call)
  t.match(listed, {
    waiting: 0,
    rows: [
      { model: 'motor', revision: 1, device: 'pi-1', samples: 1, reasons: { outside: 1 } },
      { model: 'motor', revision: 1, device: 'pi-2', samples: 1 },
    ],
  })
  const { items: samples, next } = await readSamples({ model: 'motor' }, call)
  t.equal(next, null)
  const first = await readSamples({ model: 'motor', limit: 1 }, call)
  t.match(first.items, [{ device: 'pi-1' }])
  const rest = await readSamples({ model: 'motor', cursor: first.next ?? '' }, call)
  t.match(rest, { items: [{ device: 'pi-2' }], next: null })
  const newest = { model: 'motor', newest: true, limit: 1 }
  const last = await readSamples(newest, call)
  t.match(last.items, [{ device: 'pi-2' }])
  const before = await readSamples({ ...newest, cursor: last.next ?? '' }, call)
  t.match(before.items, [{ device: 'pi-1' }])
  t.match(samples, [
    { device: 'pi-1', why: 'outside', at: '2026-11-23T11:59:00.000Z', revision: 1 },
    { device: 'pi-2' },
  ])
  t.equal(samples[0]?.inputs.x?.length, 3072)
  const where = [...parseSelector('device=pi-2')]
  t.match((await readSamples({ model: 'motor', where }, call)).items, [{ device: 'pi-2' }])
  const since = new Date(p.clock.now.getTime() + 1).toISOString()
  t.same((await readSamples({ model: 'motor', since }, call)).items, [])
  await t.rejects(readSamples({ model: 'other' }, call), { code: 'unknown-model' })
  await t.rejects(readSamples({ model: 'motor', device: 'pi-9' }, call), {
    code: 'unknown-device',
  })
  const told = pi.spoken.ordersOf('collected').length
  await pi.tell([{ digest, bytes: long.length }])
  await until(() => pi.spoken.ordersOf('collected').length > told)
  t.equal(pi.spoken.ordersOf('collect').filter((one) => one.sample === digest).length, 2)

  await pi.spoken.say('death', { v: 1, epoch: { start: 'pi-1', connection: 0 } })
  while (await p.conductor.store.isOnline('pi-1')) await sleep(10)
  await removeDevice({ device: 'pi-1', reason: 'scrapped' }, call)
  t.match((await listSamples({}, call)).rows, [{ device: 'pi-2' }])
  t.same(readdirSync(join(data, 'samples')).sort(), ['pi-1', 'pi-2'])
  await p.conductor.samples.sweep()
  t.same(readdirSync(join(data, 'samples')), ['pi-2'], 'and its files go with it')
})

t.test('an upload goes on where it ended', async (t) => {
  const { data, variant, device } = await setUp(t)
  const pi = await device('pi-1')
  const long = sample(variant, 1, 20 * BLOCK_BYTES)
  const digest = digestOf(long)
  await pi.tell([{ digest, bytes: long.length }])
  await pi.asked(digest)
  await pi.send(long, digest, 0, 3)
  t.match(await pi.asked(digest, 1), { from: 3 }, 'after a silence the rest of it')
  pi.spoken.client.stream.destroy()
  // What a cut of power leaves of a block is written once more.
  const part = join(data, 'samples', 'pi-1', `${digest}.part`)
  writeFileSync(part, Buffer.concat([readFileSync(part), Buffer.from('half a block')]))
  const again = await device('pi-1')
  t.match(await again.asked(digest), { from: 3 }, 'in the next session, too')
  for (let from = 3, n = 1; from < 20; from += 8, n += 1) {
    await again.send(long, digest, from, 8)
    if (from + 8 < 20) t.match(await again.asked(digest, n), { from: from + 8 })
  }
  await again.over(digest, long)
  t.same(readFileSync(join(data, 'samples', 'pi-1', digest)), long)
})

t.test('what is hostile or broken is refused, and keeps nobody else waiting', async (t) => {
  const { p, data, variant, device } = await setUp(t)
  const pi = await device('pi-1')
  const { db } = p.conductor.context
  const stateOf = async (digest: string) =>
    await db
      .selectFrom('captured_samples')
      .select(['state', 'error'])
      .where('digest', '=', digest)
      .executeTakeFirst()
  const good = sample(variant, 1)
  await pi.send(good)
  await pi.send(good, digestOf('nobody asked'))
  t.equal(await stateOf(digestOf(good)), undefined, 'what nobody asked for is nothing')

  const refused: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
    'no JSON': [Buffer.from('{"at":'), /no sample/],
    'JSON that is none': [Buffer.from('[[[[]]]]'), /no sample/],
    'deeply nested': [Buffer.from('['.repeat(5000)), /no sample/],
    infinity: [Buffer.from(sample(variant, 1).toString().replace('[1,', '[1e999,')), /no sample/],
    'another shape': [sample(variant, 1, 0, { inputs: { x: [1, 2, 3] } }), /3 values where/],
    'more inputs': [sample(variant, 1, 0, { inputs: { a: [1], b: [2] } }), /2 inputs where/],
    'a variant of nobody': [sample('f'.repeat(64), 1), /none of motor/],
  }
  for (const [what, [bytes, error]] of Object.entries(refused)) {
    await pi.upload(bytes)
    t.match(await stateOf(digestOf(bytes)), { state: 'refused', error }, what)
  }
  const lie = sample(variant, 3)
  const promised = digestOf('something else')
  await pi.tell([{ digest: promised, bytes: lie.length }])
  await pi.asked(promised)
  await pi.send(lie, promised)
  await pi.over(promised, lie)
  t.match(await stateOf(promised), { state: 'refused', error: /not those that were promised/ })

  const huge = digestOf('huge')
  await pi.tell([{ digest: huge, bytes: 2 ** 40 }])
  await pi.over(huge)
  t.match(await stateOf(huge), { state: 'refused', error: /is the most/ })
  t.equal(pi.spoken.ordersOf('collect').filter((one) => one.sample === huge).length, 0)

  const digest = digestOf(good)
  await pi.tell([{ digest, bytes: good.length }])
  await pi.asked(digest)
  await pi.spoken.say('samples', printBlockFrame(digest, 0, Buffer.alloc(good.length - 1)))
  await pi.spoken.say('samples', printBlockFrame(digest, 7, Buffer.alloc(10)))
  await pi.spoken.say('samples', Buffer.from('no frame'))
  await pi.send(good)
  await pi.over(digest, good)
  t.match(await stateOf(digest), { state: 'kept' }, 'among garbage it came all the same')
  const row = await db
    .selectFrom('devices')
    .select(['garbage', 'garbage_note'])
    .where('id', '=', 'pi-1')
    .executeTakeFirstOrThrow()
  t.ok(Number(row.garbage) >= 3, `${row.garbage} times garbage`)

  const silent = await device('pi-2')
  const never = sample(variant, 9)
  await silent.tell([{ digest: digestOf(never), bytes: never.length }])
  await silent.asked(digestOf(never), 1)
  await pi.upload(sample(variant, 4))
  t.match((await listSamples({}, callOf(p, 'cli:test'))).waiting, 1)
  await silent.spoken.say('reports', {
    ...{ v: 1, id: 'gone', at: '2026-11-23T12:00:00.000Z', kind: 'captured' },
    ...{ model: 'motor', samples: [], gone: [digestOf(never)] },
  })
  await until(() => silent.spoken.receipts().includes('gone'))
  await settle(p)
  t.match((await listSamples({}, callOf(p, 'cli:test'))).waiting, 0, 'it has it no more')
  t.same(readdirSync(join(data, 'samples', 'pi-1')).length, 2, 'nothing is left of the others')
})

t.test('a quota, by device; and an end by age', async (t) => {
  const size = sample('f'.repeat(64), 1).length
  const { p, variant, device } = await setUp(t, { samplesQuotaBytes: 5 * size })
  const loud = await device('loud')
  const quiet = await device('quiet')
  const first = await quiet.upload(sample(variant, 9))
  for (let i = 0; i < 8; i += 1) await loud.upload(sample(variant, i))
  const call = callOf(p, 'cli:test')
  const listed = await listSamples({}, call)
  t.ok(listed.usedBytes <= listed.quotaBytes)
  t.match(
    listed.rows.map(({ device: id, samples }) => [id, samples]),
    [
      ['loud', 4],
      ['quiet', 1],
    ],
    'who sends without end displaces himself',
  )
  const { items: samples } = await readSamples({ model: 'motor', device: 'loud' }, call)
  t.same(
    samples.map(({ outputs }) => outputs.y?.[5]),
    [4, 5, 6, 7],
    'the newest stay',
  )
  const told = quiet.spoken.ordersOf('collected').length
  await quiet.tell([{ digest: first, bytes: size }])
  await until(() => quiet.spoken.ordersOf('collected').length > told)

  p.clock.now = new Date(p.clock.now.getTime() + 31 * 86_400_000)
  await p.conductor.samples.sweep()
  t.same((await listSamples({}, call)).rows, [])
})

t.test('a planner that wants none asks for none', async (t) => {
  const { p, variant, device } = await setUp(t, { samplesQuotaBytes: 0 })
  const pi = await device('pi-1')
  const kept = sample(variant, 1)
  await pi.tell([{ digest: digestOf(kept), bytes: kept.length }])
  t.equal(await p.conductor.samples.next('pi-1'), undefined)
  t.equal(pi.spoken.ordersOf('collect').length, 0)
})

t.test('a full disk here stops the collecting, and nothing else', async (t) => {
  const data = smallDisk(t, 96 * 2 ** 20)
  if (data === undefined) return t.plan(0, WITHOUT_SMALL_DISK)
  const { variant, device, p } = await setUp(t, {}, data)
  const pi = await device('pi-1')
  const filler = join(data, 'filler')
  writeFileSync(filler, Buffer.alloc(40 * 2 ** 20))
  const bytes = sample(variant, 1, 3 * BLOCK_BYTES)
  const digest = digestOf(bytes)
  await pi.tell([{ digest, bytes: bytes.length }])
  await pi.spoken.say('reports', {
    ...{ v: 1, id: 'still heard', at: '2026-11-23T12:00:00.000Z', kind: 'captured' },
    ...{ model: 'motor', samples: [], gone: [] },
  })
  await until(() => pi.spoken.receipts().includes('still heard'))
  t.equal(pi.spoken.ordersOf('collect').length, 0, 'nothing is asked for')
  writeFileSync(filler, '')
  await pi.asked(digest)
  const wanted = await p.conductor.samples.next('pi-1')
  if (typeof wanted !== 'object') throw new Error('wanted')
  fillUp(filler)
  t.equal(await p.conductor.samples.append('pi-1', wanted, 0, bytes.subarray(0, 65536)), false)
  writeFileSync(filler, '')
  const asked = pi.spoken.ordersOf('collect').length
  await pi.asked(digest, asked)
  await pi.send(bytes)
  await pi.over(digest, bytes)
  t.equal((await capturedSamples.keptByDevice(p.conductor.context.db)).length, 1)
})
