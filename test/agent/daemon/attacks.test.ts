import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { AgentOptions } from '../../../agent/daemon/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { BLOCK_BYTES, type OrderOf } from '../../../shared/messages/index.ts'
import { generateKeyPair } from '../../../shared/signatures/index.ts'
import {
  ATTACK_NAMES,
  type AttackName,
  MAX_VERSION,
  printImageFiles,
} from '../../../shared/trust/index.ts'
import { agentOf, driverOf, stateDirOf } from '../device.ts'
import { variantOf } from '../golden.ts'
import { type AssignmentDraft, assignOrder, type OrderChanges } from '../orders.ts'
import type { PlannerDriver } from '../planner-driver.ts'
import { filesOf } from '../state-files.ts'

/**
 * Attacks by name against a real daemon: what arrives over the wire is refused under that name, nothing on
 * the device has changed, nothing was downloaded, and the next honest order is followed.
 */
type Draft = Omit<AssignmentDraft, 'artifact'>
interface Hostile {
  /** An order for a variant that the planner offers, as it would say it honestly. */
  order(draft?: Draft, changes?: OrderChanges): OrderOf<'assign'>
  readonly driver: PlannerDriver
}

interface Row {
  readonly attack: AttackName
  readonly how: string
  readonly mount: (hostile: Hostile) => OrderOf<'assign'>
  readonly agent?: Partial<AgentOptions>
}

const DAY_MS = 86_400_000
const long = (ms: number) => new Date(Date.now() + ms).toISOString()
let counter = 10

const ROWS: readonly Row[] = [
  {
    attack: 'drop-request',
    how: 'the timestamp is left out of the message',
    mount: ({ order }) => without(order(), 'director', 'timestamp.json'),
  },
  {
    attack: 'drop-request',
    how: 'metadata that travels in blocks is announced and never sent',
    agent: { patience: { silenceMs: 300, wholeMs: 60_000 } },
    mount: ({ order, driver }) => {
      const whole = inBlocks(order(), driver)
      if (whole.image) driver.withdraw(whole.image)
      return whole
    },
  },
  {
    attack: 'slow-retrieval',
    how: 'the list of blocks comes, the blocks never do, for as long as it takes',
    agent: { patience: { silenceMs: 60_000, wholeMs: 700 } },
    mount: ({ order, driver }) => {
      const whole = inBlocks(order(), driver)
      driver.interfere = (artifact, _index, frame) =>
        artifact === whole.image?.digest ? [] : [frame]
      return whole
    },
  },
  {
    attack: 'freeze',
    how: 'an assignment whose time is over',
    mount: ({ order }) => order({ issuedAt: long(-2 * DAY_MS), expiresAt: long(-DAY_MS) }),
  },
  {
    attack: 'rollback',
    how: 'a director that says an older version',
    mount: ({ order }) => order({}, { says: 1 }),
  },
  {
    attack: 'rollback',
    how: 'an older release than the one that was installed',
    mount: ({ order }) => order({ releaseCounter: 1 }),
  },
  {
    attack: 'fast-forward',
    how: 'a version that no honest one could follow',
    mount: ({ order }) => {
      const { offer, ...rest } = order()
      const high = withVersion(offer.director['timestamp.json'] ?? '', MAX_VERSION + 1)
      const director = { ...offer.director, 'timestamp.json': high }
      return { ...rest, offer: { ...offer, director } }
    },
  },
  {
    attack: 'endless-data',
    how: 'metadata is announced with more bytes than any may have',
    mount: ({ order }) => ({
      ...order(),
      image: { digest: digestOf('x'), bytes: 2 ** 30, blockList: digestOf('y') },
    }),
  },
  {
    attack: 'mix-and-match',
    how: 'the snapshot of one time beside the timestamp of another',
    mount: ({ order }) => {
      const older = order().offer.image
      const { offer, ...rest } = order()
      const image = { ...offer.image }
      image[snapshotIn(image)] = older[snapshotIn(older)] ?? ''
      return { ...rest, offer: { ...offer, image } }
    },
  },
  {
    attack: 'mix-and-match',
    how: 'director and release keys describe the same bytes differently',
    mount: ({ order }) => order({}, { released: { scheme: 'float16' } }),
  },
  {
    attack: 'mix-and-match',
    how: 'the order names another variant than the director',
    mount: ({ order }) => ({ ...order(), variant: digestOf('something else') }),
  },
  {
    attack: 'partial-install',
    how: 'only one of two models that belong together gets through',
    mount: ({ order, driver }) => {
      const also = { model: 'second', artifact: driver.offer(variantOf()), counter }
      return without(order({}, { also }), 'image', 'model.second.json')
    },
  },
  {
    attack: 'arbitrary-software',
    how: 'signed by a key that is not the director’s',
    mount: ({ order }) => order({}, { key: generateKeyPair() }),
  },
  {
    attack: 'wrong-class',
    how: 'a variant that was released for other devices',
    mount: ({ order }) => order({}, { released: { classes: ['jetson-nano'] } }),
  },
  {
    attack: 'wrong-class',
    how: 'a device that was told its class, assigned as one of another',
    agent: { class: 'generic-x86-64' },
    mount: ({ order }) => order({ class: 'jetson-nano' }),
  },
  {
    attack: 'replayed-assignment',
    how: 'said to another device',
    mount: ({ order }) => order({ device: 'd2' }),
  },
  {
    attack: 'online-key-compromise',
    how: 'the director’s own key orders bytes that were never released',
    mount: ({ order }) => {
      const hostile = variantOf(2_000)
      return order({}, { released: { digest: digestOf(hostile), bytes: hostile.length } })
    },
  },
]

/** Rows that need an agent of their own, and all the others, one after another on one device. */
const ALIKE = ROWS.filter(({ agent }) => agent === undefined)
for (const rows of [ALIKE, ...ROWS.filter(({ agent }) => agent).map((row) => [row])]) {
  const names = [...new Set(rows.map(({ attack }) => attack))]
  t.test(names.join(', '), async (t) => {
    const driver = await driverOf(t)
    const stateDir = stateDirOf(t)
    const agent = await agentOf(t, stateDir, driver, rows[0]?.agent ?? {})
    await driver.until(() => driver.births[0])
    const order: Hostile['order'] = (draft = {}, changes = {}) => {
      counter += 1
      const artifact = driver.offer(variantOf())
      return assignOrder({ artifact, counter, releaseCounter: 2, ...draft }, changes)
    }
    // Not the first that was ever signed, so that there is an older one to go back to.
    order()
    const good = order()
    await driver.send('d1', good)
    await settled(driver, good, 'active')
    await agent.idle()
    const before = filesOf(stateDir)

    for (const { attack, how, mount } of rows) {
      const wanted = driver.wants.length
      const hostile = mount({ order, driver })
      await driver.send('d1', hostile)
      const refused = await settled(driver, hostile, 'refused')
      t.equal(refused.error?.code, attack, how)
      await agent.idle()
      t.strictSame(filesOf(stateDir), before, 'nothing has changed on the device')
      const fetched = driver.wants.slice(wanted).map(({ artifact }) => artifact)
      t.notOk(fetched.includes(hostile.variant), 'nothing of it was downloaded')
    }

    driver.interfere = undefined
    const next = order()
    await driver.send('d1', next)
    await settled(driver, next, 'active')
    t.equal(readlinkSync(join(stateDir, 'slots', 'motor', 'current')), next.variant, 'it goes on')
  })
}

t.test('arbitrary-software: other bytes than were signed are never installed', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const artifact = driver.offer(variantOf(3 * BLOCK_BYTES))
  const spoiled = new Set<number>()
  driver.interfere = (id, index, frame) => {
    if (id !== artifact.digest || spoiled.has(index)) return [frame]
    spoiled.add(index)
    const other = Buffer.from(frame)
    other[other.length - 1] = (other[other.length - 1] ?? 0) ^ 1
    return [other]
  }
  const order = assignOrder({ artifact })
  await driver.send('d1', order)
  await settled(driver, order, 'active')
  t.equal(spoiled.size, 3, 'each block came wrong once, and was asked for again')
  const file = readFileSync(join(stateDir, 'slots', 'motor', 'current', 'model.tflite'))
  t.equal(digestOf(file), artifact.digest)
})

t.test('metadata too long for a message is fetched in blocks, and believed', async (t) => {
  const driver = await driverOf(t)
  const stateDir = stateDirOf(t)
  await agentOf(t, stateDir, driver)
  await driver.until(() => driver.births[0])
  const order = inBlocks(assignOrder({ artifact: driver.offer(variantOf()) }), driver)
  t.strictSame(Object.keys(order.offer.image), ['1.root.json'])
  await driver.send('d1', order)
  await settled(driver, order, 'active')
  t.ok(driver.wants.some(({ artifact }) => artifact === order.image?.digest))
})

t.test('every attack on metadata has its row; eavesdropping is TLS’s', (t) => {
  const shown = new Set(ROWS.map(({ attack }) => attack))
  t.strictSame(
    ATTACK_NAMES.filter((name) => !shown.has(name)),
    ['eavesdrop'],
  )
  t.end()
})

function settled(driver: PlannerDriver, order: OrderOf<'assign'>, state: 'active' | 'refused') {
  const ends = ['active', 'refused', 'failed', 'rolled-back']
  return driver
    .report('install', (report) => report.order === order.id && ends.includes(report.state))
    .then((report) => {
      if (report.state !== state) throw new Error(`${report.state}: ${report.error?.message}`)
      return report
    })
}

function without(
  order: OrderOf<'assign'>,
  repository: 'director' | 'image',
  ending: string,
): OrderOf<'assign'> {
  const kept = Object.entries(order.offer[repository]).filter(([file]) => !file.endsWith(ending))
  return { ...order, offer: { ...order.offer, [repository]: Object.fromEntries(kept) } }
}

function snapshotIn(files: Readonly<Record<string, string>>): string {
  return Object.keys(files).find((file) => file.endsWith('.snapshot.json')) ?? ''
}

function inBlocks(order: OrderOf<'assign'>, driver: PlannerDriver): OrderOf<'assign'> {
  const { '1.root.json': root = '', ...files } = order.offer.image
  const image = driver.offer(printImageFiles(files))
  return { ...order, offer: { ...order.offer, image: { '1.root.json': root } }, image }
}

/** The version of a signed file, changed without asking anybody. */
function withVersion(text: string, version: number): string {
  const file = JSON.parse(text)
  return JSON.stringify({ ...file, signed: { ...file.signed, version } })
}
