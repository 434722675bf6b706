/** The power goes at every place that has a name; what stays on disk is what the next agent starts from. */
import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Slots } from '../../../agent/artifacts/index.ts'
import { JournalError, startAgent } from '../../../agent/daemon/index.ts'
import { failPointNames } from '../../../agent/daemon/journal/commit-names.ts'
import { Journal } from '../../../agent/daemon/journal/journal.ts'
import { printLine } from '../../../agent/daemon/journal/journal-line.ts'
import type { Change } from '../../../agent/daemon/journal/journal-tables.ts'
import { MAX_PENDING_REPORTS } from '../../../agent/link/index.ts'
import { digestOf } from '../../../shared/digest.ts'
import { type FailPoints, momentsOf, NO_FAIL_POINTS } from '../../../shared/fail-points.ts'
import { newId } from '../../../shared/ids.ts'
import type { Order } from '../../../shared/messages/index.ts'
import { agentOptions, driverOf, stateDirOf } from '../device.ts'
import { goldenData, variantOf } from '../golden.ts'
import { type AssignmentDraft, assignOrder, packageOrder } from '../orders.ts'
import { asFile, packageOf } from '../packages.ts'
import type { PlannerDriver } from '../planner-driver.ts'
import { bootedVariant } from '../power.ts'
import { probeOrder } from '../probe-orders.ts'

/** Until a place must have been reached, ms. */
const PATIENCE_MS = 30_000
const ENDS = ['active', 'rolled-back', 'refused', 'failed']

/**
 * No write succeeds from the cut on: the disk stays as a kill at this place would leave it, and the process need not die.
 * `power-cut.test.ts` and the soak kill processes.
 */
class PowerCut implements FailPoints {
  readonly #point: string
  isCut = false
  #told: () => void = () => {}
  readonly cut = new Promise<void>((resolve) => {
    this.#told = resolve
  })

  constructor(point: string) {
    this.#point = point
  }

  isArmed(name: string): boolean {
    return !this.isCut && name === this.#point
  }

  reach(name: string): void {
    if (!this.isCut && name !== this.#point) return
    this.isCut = true
    this.#told()
    throw new JournalError('journal-failed', `the power went at ${this.#point}`)
  }
}

interface Device {
  readonly driver: PlannerDriver
  readonly stateDir: string
}

interface Story {
  /** Places in the order in which they come; most at writes, which have three moments. */
  readonly points: readonly string[]
  /** What the planner says at every birth. */
  readonly orders?: (device: Device) => Promise<readonly Order[]> | readonly Order[]
  /** Before every start. */
  readonly before?: (device: Device) => Promise<void> | void
  /** The agent leaves in order. */
  readonly leaves?: boolean
  /** What the planner hears of the last order in the end; absent: nothing more. */
  readonly end?: { readonly kind: 'install' | 'probe'; readonly state?: string }
}

let counter = 1
const assignment = (
  { driver }: Device,
  draft: Partial<AssignmentDraft> = {},
  bytes = variantOf(),
) => {
  counter += 1
  return assignOrder({ artifact: driver.offer(bytes), counter, ...draft })
}
/** Its bytes never come. */
const stuck = (device: Device) => {
  const bytes = variantOf(200_000)
  const order = assignment(device, {}, bytes)
  device.driver.withdraw(device.driver.offer(bytes))
  return order
}
/** Its bytes come, and are others. */
const spoiled = ({ driver }: Device, bytes: Buffer) => {
  driver.interfere = (artifact, _index, frame) => [
    artifact === digestOf(bytes) ? Buffer.concat([frame.subarray(0, -1), Buffer.of(0)]) : frame,
  ]
}

/** Every place that `FITMENT_FAIL_POINT` may name stands in one of them. */
const STORIES: Readonly<Record<string, Story>> = {
  'an installation': {
    points: [
      ...momentsOf(['run.started', 'install.accepted', 'install.restarted', 'install.downloading']),
      ...momentsOf(['install.verifying', 'install.installing']),
      ...['slot.drafted', 'slot.placed'],
      ...momentsOf(['install.waiting', 'install.switching']),
      ...['slot.previous.pointed', 'slot.current.pointed'],
      ...momentsOf(['install.testing', 'install.watching', 'install.active']),
    ],
    orders: (device) => [assignment(device)],
    end: { kind: 'install', state: 'active' },
  },
  'one that rolls back': {
    points: momentsOf(['install.rolling-back', 'install.rolled-back']),
    orders: async (device) => [
      assignment(device, { selfTest: device.driver.offer(await goldenData(true)) }),
    ],
    end: { kind: 'install', state: 'rolled-back' },
  },
  'one that fails': {
    points: momentsOf(['install.failed']),
    orders: (device) => {
      const bytes = variantOf()
      spoiled(device, bytes)
      return [assignment(device, {}, bytes)]
    },
    end: { kind: 'install', state: 'failed' },
  },
  'one in the place of another': {
    points: momentsOf(['install.queued', 'install.superseded', 'install.dequeued']),
    orders: (device) => [stuck(device), assignment(device)],
    end: { kind: 'install', state: 'active' },
  },
  'one that is said again': {
    points: ['install.accepted.after', ...momentsOf(['order.repeated', 'report.settled'])],
    orders: (device) => [stuck(device)],
  },
  'one that is refused': {
    points: momentsOf(['order.refused']),
    orders: (device) => [assignment(device, { device: 'd2' })],
    end: { kind: 'install', state: 'refused' },
  },
  'a probe': {
    points: [
      ...momentsOf(['probe.accepted', 'probe.restarted', 'probe.downloading', 'probe.measuring']),
      // A variant that takes the device down twice while it is measured is given up: more is for the next.
      'probe.measured.after',
    ],
    orders: async ({ driver }) => [await probeOrder(driver, variantOf())],
    end: { kind: 'probe' },
  },
  'another probe': {
    points: ['probe.measured.before', 'probe.measured.torn'],
    orders: async ({ driver }) => [await probeOrder(driver, variantOf())],
    end: { kind: 'probe' },
  },
  'a probe that fails': {
    points: momentsOf(['probe.failed']),
    orders: async (device) => {
      const bytes = variantOf()
      spoiled(device, bytes)
      return [await probeOrder(device.driver, bytes)]
    },
    end: { kind: 'probe' },
  },
  'a probe that is cancelled': {
    points: momentsOf(['probe.cancelled']),
    orders: async ({ driver }) => {
      const bytes = variantOf(200_000)
      const probe = await probeOrder(driver, bytes)
      driver.withdraw(driver.offer(bytes))
      return [probe, { v: 1, id: newId(), kind: 'cancel', order: probe.id }]
    },
  },
  'a probe that is cancelled and not there': {
    points: momentsOf(['order.cancelled']),
    orders: () => [{ v: 1, id: newId(), kind: 'cancel', order: newId() }],
  },
  'a slot that is spoiled': {
    points: momentsOf(['slot.lost']),
    async before({ stateDir }) {
      const slots = new Slots(join(stateDir, 'slots'))
      const { current } = await slots.links('motor')
      await slots.keepSpare('motor', current ?? '')
      writeFileSync(join(stateDir, 'slots', 'motor', 'current', 'model.tflite'), 'rust')
    },
  },
  'a package, of which no library can be opened': {
    points: ['slot.unpacked'],
    orders: async ({ driver }) => {
      const bytes = await packageOf({ library: Buffer.from('no library') })
      return [packageOrder({ artifact: driver.offer(bytes) })]
    },
    end: { kind: 'install', state: 'failed' },
  },
  'a package that cannot be opened any more': {
    points: momentsOf(['package.unusable']),
    async before({ stateDir }) {
      const bytes = await packageOf({ library: Buffer.from('no library any more') })
      const slots = new Slots(join(stateDir, 'slots'))
      await asFile(bytes, (path) => slots.unpack('runtime.tflite', digestOf(bytes), path))
      await slots.switchTo('runtime.tflite', digestOf(bytes))
    },
  },
  'an outbox that is full': {
    points: momentsOf(['report.dropped']),
    before({ driver, stateDir }) {
      driver.receipts = false
      const at = new Date().toISOString()
      const waiting = Array.from({ length: MAX_PENDING_REPORTS }, (_, index): Change => {
        const id = `waiting-${index}`
        return { kind: 'report', key: id, value: { v: 1, id, at, kind: 'ack', order: 'old' } }
      })
      const journal = new Journal(join(stateDir, 'journal'), NO_FAIL_POINTS)
      journal.commit('run.started', waiting)
      journal.close()
    },
    orders: (device) => [stuck(device)],
  },
  'a journal that is full of history': {
    points: ['journal.rewrite.before', 'journal.rewrite.after'],
    before({ stateDir }) {
      const value = { model: 'old', counter: 1, variant: 'a'.repeat(64) }
      const line = printLine({ v: 1, changes: [{ kind: 'counter', key: 'old', value }] })
      appendFileSync(join(stateDir, 'journal'), line.repeat(2_000))
    },
  },
  'what applications observed': {
    points: momentsOf(['report.observed']),
    async before({ stateDir }) {
      const { current } = await new Slots(join(stateDir, 'slots')).links('motor')
      mkdirSync(join(stateDir, 'observed'), { recursive: true })
      const window = {
        ...{ variant: current, from: new Date().toISOString(), windowMs: 10_000, inferences: 5 },
        ...{ latency: { zeros: 0, first: 40, counts: [5] }, reference: null, channels: [] },
        ...{ refused: {}, restarts: 0 },
      }
      writeFileSync(join(stateDir, 'observed', 'motor.json'), JSON.stringify(window))
    },
  },
  'leaving in order': { points: momentsOf(['run.ended']), leaves: true },
}

t.test('every place that has a name is in a story', (t) => {
  const told = Object.values(STORIES).flatMap(({ points }) => points)
  t.same([...new Set(told)].sort(), failPointNames().sort())
  t.end()
})

t.test('the power goes at every place, one after another', async (t) => {
  const driver = await driverOf(t)
  const first = stateDirOf(t)
  const agent = await startAgent(agentOptions(first, driver.url))
  await driver.until(() => driver.births[0])
  const order = assignOrder({ artifact: driver.offer(variantOf()), counter: 1 })
  await driver.send('d1', order)
  await driver.report('install', ({ state }) => state === 'active')
  await agent.close()
  for (const [name, story] of Object.entries(STORIES)) {
    await t.test(name, async (t) => {
      const stateDir = stateDirOf(t)
      cpSync(first, stateDir, { recursive: true, verbatimSymlinks: true })
      Object.assign(driver, { interfere: undefined, receipts: true })
      const device = { driver, stateDir }
      const orders = (await story.orders?.(device)) ?? []
      driver.orders.splice(0, driver.orders.length, ...orders)
      await playThrough(t, device, story, orders)
    })
  }
})

async function playThrough(
  t: Test,
  device: Device,
  story: Story,
  orders: readonly Order[],
): Promise<void> {
  const { driver, stateDir } = device
  const start = async (failPoints: FailPoints) => {
    await story.before?.(device)
    return await startAgent(
      agentOptions(stateDir, driver.url, { failPoints, acceptsRuntimes: true, observeMs: 2_000 }),
    )
  }
  for (const point of story.points) {
    const power = new PowerCut(point)
    const agent = await start(power).catch((error) => {
      if (!power.isCut) throw error
    })
    if (story.leaves) await agent?.close()
    await Promise.race([power.cut, sleep(PATIENCE_MS, undefined, { ref: false })])
    t.ok(power.isCut, point)
    if (!story.leaves) await agent?.close()
    if (story.before === undefined) t.ok(bootedVariant(stateDir), 'boots a whole variant')
  }
  const agent = await start(NO_FAIL_POINTS)
  const last = orders.at(-1)?.id
  const { end } = story
  if (end?.kind === 'probe') await driver.report('probe', ({ order }) => order === last)
  if (end?.kind === 'install') {
    const isEnd = (said: { order: string; state: string }) =>
      said.order === last && ENDS.includes(said.state)
    t.equal((await driver.report('install', isEnd)).state, end.state)
  }
  await agent.close()
  t.ok(bootedVariant(stateDir), 'and in the end')
}
