import { join } from 'node:path'
import { pino } from 'pino'
import type { Test } from 'tap'
import { DeviceTrust, type Installable } from '../../../agent/trust/index.ts'
import type { Call } from '../../../planner/api/call/call.ts'
import { loadProfiles } from '../../../planner/classes/index.ts'
import { Conductor, type ConductorSettings } from '../../../planner/conductor/index.ts'
import type { Database } from '../../../planner/storage/database.ts'
import { createArtifactStore, openDatabase } from '../../../planner/storage/index.ts'
import { openTrust } from '../../../planner/trust/index.ts'
import { type FailPoints, NO_FAIL_POINTS } from '../../../shared/fail-points.ts'
import { newId } from '../../../shared/ids.ts'
import type { ProbeRecord } from '../../../shared/measure/probe-record.ts'
import type { Birth } from '../../../shared/messages/birth.ts'
import type { OrderKind, OrderOf } from '../../../shared/messages/orders.ts'
import type { InstallState, Report } from '../../../shared/messages/reports.ts'
import { anchorDigest, printTrustPin } from '../../../shared/trust/index.ts'
import { birth, hardware } from '../storage/sample.ts'

export interface Planner {
  readonly conductor: Conductor
  readonly nudged: string[]
  /** What devices are set up with. */
  readonly trust: string
  /** The planner's clock; move it to let time pass. */
  readonly clock: { now: Date }
  /** What a device makes of the order: both repositories verified, from the first roots on. */
  assignmentOf(order: OrderOf<'assign'>, device?: string): Promise<Installable>
  close(): Promise<void>
}

/** A real conductor on a real database. What devices do is written by the test, through the fleet's store. */
export async function openPlanner(
  data: string,
  settings: Partial<ConductorSettings> = {},
  clock = { now: new Date('2026-11-23T12:00:00.000Z') },
  open: () => Promise<Database> = () => openDatabase({ data }),
  failPoints: FailPoints = NO_FAIL_POINTS,
): Promise<Planner> {
  const now = () => clock.now
  const database = await open()
  const trust = await openTrust({ dir: join(data, 'trust'), now })
  const anchor = anchorDigest(await trust.anchor())
  const nudged: string[] = []
  const conductor = new Conductor({
    data,
    db: database.db,
    artifacts: createArtifactStore(data, database.db, now),
    profiles: await loadProfiles(),
    trust,
    // A device that is told what to measure after an installation is a story of its own.
    settings: { tickMs: 3_600_000, rechecksAtOnce: 0, ...settings },
    failPoints,
    log: pino({ level: process.env.FITMENT_TEST_LOG ?? 'silent' }),
    now,
  })
  await conductor.recover()
  await conductor.start({
    nudge: (device) => void nudged.push(device),
    ask: () => {},
    letGo: () => {},
    hears: () => true,
    close: async () => {},
  })
  return {
    conductor,
    nudged,
    trust: printTrustPin(anchor),
    clock,
    async assignmentOf({ model, variant, offer }, device = deviceOf(offer)) {
      const runtimes = ['litert', 'onnxruntime'] as const
      const clock = { now, monotonic: () => 0 }
      const dir = join(data, 'devices', newId())
      const { architecture } = hardware
      const options = { dir, device, class: null, runtimes, architecture, anchor, clock }
      const { assignments } = await (await DeviceTrust.open(options)).verifyOffer(offer)
      const found = assignments.find((assignment) => assignment.model === model)
      if (found?.variant !== variant) throw new Error('the director says something else')
      return found
    },
    close: async () => {
      await conductor.close()
      await database.close()
    },
  }
}

export function planner(t: Test, settings?: Partial<ConductorSettings>): Promise<Planner> {
  return openPlanner(t.testdir({}), settings).then((opened) => {
    t.teardown(opened.close)
    return opened
  })
}

/** Whom the director speaks to, by the word of its timestamp. */
function deviceOf({ director }: OrderOf<'assign'>['offer']): string {
  return JSON.parse(director['timestamp.json'] ?? '').signed.fitment.device
}

/** One device as the planner sees it: what it says, and what it is told. */
export class ScriptedDevice {
  readonly id: string
  planner: Planner
  #connection = 0
  #told = new Set<string>()

  constructor(id: string, planner: Planner) {
    this.id = id
    this.planner = planner
  }

  async join(over: Partial<Birth> = {}): Promise<this> {
    this.#connection += 1
    const said = birth(this.#connection, { report: hardware, ...over, id: newId() })
    await this.planner.conductor.store.recordBirth(this.id, said)
    await settle(this.planner)
    return this
  }

  async leave(): Promise<void> {
    const epoch = { start: 'start-1', connection: this.#connection }
    await this.planner.conductor.store.recordDeath(this.id, epoch)
    await settle(this.planner)
  }

  /** Orders it has not seen yet, acknowledged. */
  async take<K extends OrderKind>(kind: K): Promise<OrderOf<K>[]> {
    const orders = await this.planner.conductor.store.pendingOrders(this.id)
    const fresh = orders.filter((order) => order.kind === kind && !this.#told.has(order.id))
    for (const { id } of fresh) {
      this.#told.add(id)
      await this.say({ kind: 'ack', order: id })
    }
    return fresh as OrderOf<K>[]
  }

  async install(order: OrderOf<'assign'>, ...states: InstallState[]): Promise<void> {
    const { model, variant } = await this.planner.assignmentOf(order)
    for (const state of states) {
      const error = state === 'failed' ? { error: { code: 'disk-full', message: 'no room' } } : {}
      await this.say({ kind: 'install', order: order.id, model, variant, state, ...error })
    }
  }

  async say(body: DistributiveOmit<Report, 'v' | 'id' | 'at'>): Promise<void> {
    const report = {
      v: 1,
      id: newId(),
      at: this.planner.clock.now.toISOString(),
      ...body,
    } as Report
    await this.planner.conductor.store.recordReport(this.id, report)
    await settle(this.planner)
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** What an operation of the API is called with. */
export function callOf({ conductor, trust }: Planner, actor = 'cli:ada'): Call {
  return {
    conductor,
    context: conductor.context,
    info: { version: '', fleet: 'default', broker: '', database: '', trust },
    actor,
    progress: () => {},
    signal: new AbortController().signal,
  }
}

/** The conductor has looked at everything there is. */
export async function settle({ conductor }: Planner): Promise<void> {
  conductor.poke()
  await conductor.settled()
}

/** Figures a device might send. */
export function record(p50Ms: number, ratio: number | null): ProbeRecord {
  return {
    probeVersion: 1,
    threads: 1,
    loadMs: 10,
    firstMs: 2 * p50Ms,
    latency: {
      n: 200,
      p50Ms,
      p50Ci95: [0.99 * p50Ms, 1.01 * p50Ms],
      p90Ms: null,
      p99Ms: null,
      minMs: p50Ms,
      meanMs: p50Ms,
    },
    ratioToBaseline: ratio === null ? null : { p50: ratio, ci95: [0.99 * ratio, 1.01 * ratio] },
    peakMemoryBytes: 100e6,
    quality: { samples: 40, accuracy: null, agreement: 1, sqnrDb: 40 },
    flags: [],
    verdict: 'ok',
  }
}
