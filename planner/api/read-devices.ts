import { type ConductorContext, subjectOf } from '../conductor/index.ts'
import { requireMatches } from '../groups/index.ts'
import {
  certificates,
  type Db,
  type Device,
  deviceLabels,
  devices as deviceRows,
  doublesSince,
  models,
  retirements,
  variants,
} from '../storage/index.ts'
import type { OperationInput, OperationOutput } from './contract.ts'
import type { DeviceView } from './views.ts'

/** Those in service that a selector matches; retired ones too where all are asked for. @throws SelectorError */
export async function listDevices(
  { where, all = false }: OperationInput<'devices.list'>,
  { db, now }: Pick<ConductorContext, 'db' | 'now'>,
): Promise<OperationOutput<'devices.list'>> {
  const known = await (all ? deviceRows.allDevices(db) : deviceRows.listDevices(db))
  const chosen = where === undefined ? known : await selected(db, known, where)
  return deviceViews(db, chosen, now())
}

/** @throws SelectorError where it matches none */
export async function selected(
  db: Db,
  known: readonly Device[],
  where: NonNullable<OperationInput<'devices.list'>['where']>,
): Promise<readonly Device[]> {
  const labels = await deviceLabels.deviceLabels(db)
  const subjects = known.map((one) => subjectOf(one, labels.get(one.id)?.labels ?? {}))
  const found = new Set(requireMatches(where, subjects).map(({ device }) => device))
  return known.filter(({ id }) => found.has(id))
}

export async function deviceView(db: Db, device: Device, now: Date): Promise<DeviceView> {
  const [view] = await deviceViews(db, [device], now)
  if (view === undefined) throw new Error('a view for every device')
  return view
}

const DOUBLES_SHOWN_MS = 24 * 3_600_000

export async function deviceViews(
  db: Db,
  devices: readonly Device[],
  now: Date,
): Promise<DeviceView[]> {
  const labels = await deviceLabels.deviceLabels(
    db,
    devices.map(({ id }) => id),
  )
  const retired = await retirements.retirements(db)
  const doubles = await doublesSince(db, new Date(now.getTime() - DOUBLES_SHOWN_MS))
  const origin = originsOf(db)
  return Promise.all(
    devices.map(async (device) => {
      const { report } = device
      const gone = retired.get(device.id)
      return {
        id: device.id,
        online: device.online,
        revoked: await certificates.isRevoked(db, device.id),
        class: device.class,
        board: report.board.model ?? report.cpu.model,
        emulated: report.emulated,
        runtimes: device.runtimes,
        storageRoom: device.storageRoom,
        memoryRoom: device.memoryRoom,
        lastSeen: device.lastSeen,
        agentVersion: device.agentVersion,
        labels: { ...labels.get(device.id)?.labels },
        overruled: { ...labels.get(device.id)?.overruled },
        retired: gone ? { at: gone.at, by: gone.by, reason: gone.reason } : null,
        installed: await Promise.all(
          device.slots.map(async (slot) => ({ ...slot, ...(await origin(slot)) })),
        ),
        garbage: device.garbage,
        garbageNote: device.garbageNote,
        doubleSeen: doubles.get(device.id)?.lastAt ?? null,
      }
    }),
  )
}

interface Origin {
  readonly scheme: string | null
  readonly revision: number | null
}

/** What a file was built of; asked once for each, however many devices have it. */
function originsOf(db: Db): (slot: { model: string; variant: string }) => Promise<Origin> {
  const known = new Map<string, Promise<Origin>>()
  return ({ model, variant }) => {
    const name = `${model} ${variant}`
    const found = known.get(name) ?? originOf(db, model, variant)
    known.set(name, found)
    return found
  }
}

async function originOf(db: Db, model: string, digest: string): Promise<Origin> {
  const variant = await variants.variantByDigest(db, digest)
  if (!variant) return { scheme: null, revision: null }
  const revision = (await models.revisionOf(db, model, variant.source))?.revision ?? null
  return { scheme: variant.scheme, revision }
}
