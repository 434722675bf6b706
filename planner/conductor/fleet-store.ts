import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import type { FailPoints } from '../../shared/fail-points.ts'
import type { Birth, Order } from '../../shared/messages/index.ts'
import { classifierOf, type Profile } from '../classes/index.ts'
import type { Awaiting, FleetStore } from '../fleet/index.ts'
import {
  type ArtifactStore,
  audit,
  BatchWriter,
  capturedSamples,
  classParts,
  type Db,
  devices,
  directions,
  memberships,
  noteDouble,
  orders,
  reports,
} from '../storage/index.ts'
import type { TrustAuthority } from '../trust/index.ts'
import type { Agenda } from './context/agenda.ts'
import { commit } from './context/commit.ts'
import { type ClassOf, classificationOf } from './devices/classification.ts'
import { activeVariant } from './rollouts/assignments.ts'
import { DIRECTOR, toSend } from './rollouts/offers.ts'
import { noteLost } from './rollouts/withdrawal.ts'

export interface FleetStoreOptions {
  readonly db: Db
  readonly artifacts: ArtifactStore
  readonly trust: TrustAuthority
  readonly profiles: readonly Profile[]
  readonly failPoints: FailPoints
  readonly now: () => Date
  readonly log: Logger
  readonly agenda: Agenda
  /** Something was recorded that the conductor may act on. */
  readonly onChange: () => void
}

/** Seen by nobody who waits for one answer, and one commit for what a fleet says meanwhile. */
const GATHER_MS = 25

interface Born {
  readonly device: string
  readonly birth: Birth
}

/** The database as the planner's MQTT side needs it. What comes at the same time is written together. */
export function createFleetStore(options: FleetStoreOptions): FleetStore {
  const { db, artifacts, trust, now, log, onChange } = options
  const births = birthWriter(options)
  const inbox = new BatchWriter(async (all: readonly reports.NewReport[]) => {
    const outcomes = await commit(options, 'report.stored', (trx) =>
      reports.storeReports(trx, all, now()),
    )
    if (outcomes.includes('new')) onChange()
    return outcomes
  }, GATHER_MS)
  const deaths = deathWriter(options)
  const pendings = new BatchWriter(
    (all: readonly { device: string; except: readonly string[] }[]) =>
      orders.pendingOrdersOf(db, all, now()),
  )
  const versions = new BatchWriter((all: readonly string[]) =>
    db.transaction().execute((trx) => nextVersions(trx, all, now())),
  )
  return {
    recordBirth: (device, birth) => births.add({ device, birth }),
    async recordDeath(device, epoch) {
      await deaths.add({ device, epoch })
    },
    recordReport: (device, report) => inbox.add({ device, report }),
    async recordGarbage(device, channel, reason) {
      await devices.noteGarbage(db, device, `${channel}: ${reason}`.slice(0, 500))
      const detail = { channel, reason: reason.slice(0, 500) }
      const entry = { actor: `device:${device}`, action: 'device.garbage', subject: device, detail }
      await audit.writeAudit(db, entry, now())
    },
    async recordDouble(device) {
      await noteDouble(db, device, now())
      const entry = {
        actor: `device:${device}`,
        action: 'device.double',
        subject: device,
        detail: {},
      }
      await audit.writeAudit(db, entry, now())
    },
    isOnline: (device) => devices.isOnline(db, device),
    knownDevices: () => devices.knownDevices(db),
    async pendingOrders(device, except = []) {
      const pending: Order[] = []
      const nextVersion = (to: string) => versions.add(to)
      const context = { db, artifacts, trust, now, nextVersion }
      for (const order of await pendings.add({ device, except })) {
        try {
          pending.push(await toSend(context, device, order))
        } catch (error) {
          const facts = { device, order: order.id, reason: messageOf(error) }
          log.error(facts, 'an order cannot be signed; it is tried again: see fitment keys list')
          throw error
        }
      }
      return pending
    },
    mayFetch: (device, artifact) => orders.mayFetch(db, device, artifact),
    openArtifact: (artifact) => artifacts.open(artifact),
  }
}

function birthWriter(options: FleetStoreOptions): BatchWriter<Born, Awaiting> {
  const { now, agenda, onChange } = options
  const classOf = classifierOf(options.profiles)
  return new BatchWriter(async (all) => {
    const { noted, awaiting } = await commit(options, 'birth.stored', async (trx) => ({
      noted: await storeBirths(trx, all, classOf, now()),
      awaiting: await awaitingOf(trx, all),
    }))
    for (const note of noted) note?.(agenda)
    if (noted.some((note) => note !== undefined)) onChange()
    return awaiting
  }, GATHER_MS)
}

/** After their births: what they took as other processes is open again. */
async function awaitingOf(trx: Db, all: readonly Born[]): Promise<readonly Awaiting[]> {
  const names = all.map(({ device }) => device)
  const ordered = await orders.awaitedOf(trx, names)
  const concerned = await capturedSamples.concernedOf(trx, names)
  return names.map((device) => ({
    orders: ordered.has(device),
    samples: concerned.has(device),
  }))
}

/** Answers whether it was news. */
function deathWriter(options: FleetStoreOptions): BatchWriter<devices.Dead, boolean> {
  const { now, agenda, onChange } = options
  return new BatchWriter(async (all: readonly devices.Dead[]) => {
    const news = await commit(options, 'death.stored', (trx) =>
      devices.recordDeaths(trx, all, now()),
    )
    for (const [index, isNews] of news.entries())
      if (isNews) agenda.device(all[index]?.device ?? '')
    if (news.includes(true)) onChange()
    return news
  }, GATHER_MS)
}

/** One of its own for each that asks: a version says one thing. */
async function nextVersions(db: Db, asking: readonly string[], at: Date): Promise<number[]> {
  const left = asking.map((device, index) => ({ device, index }))
  const versions: number[] = []
  while (left.length > 0) {
    const once = new Map(left.map(({ device, index }) => [device, index]))
    const counted = await memberships.countOn(db, [...once.keys()], DIRECTOR, at)
    for (const [device, index] of once) versions[index] = counted.get(device) ?? 0
    const isServed = (index: number) => versions[index] !== undefined
    left.splice(0, left.length, ...left.filter(({ index }) => !isServed(index)))
  }
  return versions
}

/** What is to be looked at after a birth; undefined for one that is older than the session known. */
type BirthNote = ((agenda: Agenda) => void) | undefined

async function storeBirths(
  trx: Db,
  all: readonly Born[],
  classOf: ClassOf,
  at: Date,
): Promise<BirthNote[]> {
  const parts = await classParts.listParts(trx)
  const births: devices.NewBirth[] = []
  for (const { device, birth } of all) {
    const { report, runtimes, memoryLimitBytes } = birth
    const said = { id: device, report, runtimes, memoryLimitBytes }
    births.push({ device, birth, found: await classificationOf(trx, said, classOf, parts) })
  }
  const outcomes = await devices.recordBirths(trx, births, at)
  const of = (outcome: 'new' | 'known') =>
    all.flatMap(({ device }, index) => (outcomes[index] === outcome ? [device] : []))
  const joined = { actor: 'planner', action: 'device.joined', detail: {} }
  const entries = of('new').map((subject) => ({ ...joined, subject }))
  await audit.writeAudits(trx, entries, at)
  const reverted = await memberships.revertedOf(trx, of('known'))
  const noted: BirthNote[] = []
  for (const [index, { device, birth }] of all.entries()) {
    const recorded = outcomes[index]
    const mayLack = recorded === 'known' && reverted.has(device)
    const hasLost = mayLack && (await noteAllLost(trx, device, birth.slots, at))
    if (recorded === false) noted.push(undefined)
    else
      noted.push((agenda) => {
        agenda.device(device)
        if (hasLost) agenda.returns()
        if (birth.acceptsRuntimes) agenda.packages(device)
      })
  }
  return noted
}

async function noteAllLost(
  db: Db,
  device: string,
  slots: Birth['slots'],
  at: Date,
): Promise<boolean> {
  let hasLost = false
  for (const { model } of await directions.directionsOf(db, device)) {
    const active = activeVariant({ slots }, model)
    if (await noteLost(db, device, model, active, at)) hasLost = true
  }
  return hasLost
}
