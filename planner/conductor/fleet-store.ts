import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import type { FailPoints } from '../../shared/fail-points.ts'
import type { Order } from '../../shared/messages/index.ts'
import { classify, effectiveBudget, engineClass, type Profile } from '../classes/index.ts'
import type { FleetStore } from '../fleet/index.ts'
import {
  type ArtifactStore,
  audit,
  type Db,
  type Device,
  devices,
  directions,
  noteDouble,
  orders,
  reports,
} from '../storage/index.ts'
import type { TrustAuthority } from '../trust/index.ts'
import { commit } from './context/commit.ts'
import { activeVariant } from './rollouts/assignments.ts'
import { toSend } from './rollouts/offers.ts'
import { noteLost } from './rollouts/withdrawal.ts'

export interface FleetStoreOptions {
  readonly db: Db
  readonly artifacts: ArtifactStore
  readonly trust: TrustAuthority
  readonly profiles: readonly Profile[]
  readonly failPoints: FailPoints
  readonly now: () => Date
  readonly log: Logger
  /** Something was recorded that the conductor may act on. */
  readonly onChange: () => void
}

/** The database as the planner's MQTT side needs it. */
export function createFleetStore(options: FleetStoreOptions): FleetStore {
  const { db, artifacts, trust, profiles, now, log, onChange } = options
  return {
    async recordBirth(device, birth) {
      const isNew = await commit(options, 'birth.stored', async (trx) => {
        const known = await devices.findDevice(trx, device)
        if (!(await devices.recordBirth(trx, device, birth, now()))) return false
        const recorded = await devices.findDevice(trx, device)
        if (recorded) await recordClass(trx, recorded, profiles)
        if (recorded) await noteAllLost(trx, recorded, now())
        if (known) return true
        const joined = { actor: 'planner', action: 'device.joined', subject: device, detail: {} }
        await audit.writeAudit(trx, joined, now())
        return true
      })
      if (isNew) onChange()
    },
    async recordDeath(device, epoch) {
      const isNews = await commit(options, 'death.stored', (trx) =>
        devices.recordDeath(trx, device, epoch, now()),
      )
      if (isNews) onChange()
    },
    async recordReport(device, report) {
      const outcome = await commit(options, 'report.stored', (trx) =>
        reports.storeReport(trx, device, report, now()),
      )
      if (outcome === 'new') onChange()
      return outcome
    },
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
    async pendingOrders(device) {
      const pending: Order[] = []
      const context = { db, artifacts, trust, now }
      for (const order of await orders.pendingOrders(db, device, now())) {
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
    artifactFile: (artifact) => artifacts.fileOf(artifact),
  }
}

async function noteAllLost(db: Db, device: Device, at: Date): Promise<void> {
  for (const { model } of await directions.directionsOf(db, device.id)) {
    await noteLost(db, device.id, model, activeVariant(device, model), at)
  }
}

/** Class, why, and what a model may take there. Done at birth, and for all when the planner starts. */
export async function recordClass(
  db: Db,
  device: Device,
  profiles: readonly Profile[],
): Promise<void> {
  const match = classify(device.report, profiles)
  const limits = { memoryLimitBytes: device.memoryLimitBytes }
  const budget = effectiveBudget(match.profile, device.report, limits)
  await devices.recordClass(db, device.id, {
    class: engineClass(match.class, device.runtimes),
    reason: [
      ...match.reasons,
      `memory for a model: ${budget.memory.reason}`,
      `storage for a model: ${budget.storage.reason}`,
    ],
    storageRoom: budget.storage.bytes,
    memoryRoom: budget.memory.bytes,
  })
}
