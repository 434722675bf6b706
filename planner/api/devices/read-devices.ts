import { z } from 'zod'
import { UsageError } from '../../../shared/errors.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import { requireMatches } from '../../groups/index.ts'
import {
  alarms,
  certificates,
  type Db,
  type Device,
  type DeviceFilter,
  deviceLabels,
  devices as deviceRows,
  doublesSince,
  findDevicePage,
  health,
  models,
  retirements,
  subjectOf,
  variants,
} from '../../storage/index.ts'
import { type Call, modelNamed } from '../call/call.ts'
import type { OperationAnswer, OperationInput } from '../contract/contract.ts'
import { ApiError } from '../contract/errors.ts'
import { parseCursor, printCursor, USUAL_ITEMS } from '../contract/paging.ts'
import type { DeviceView } from '../contract/views.ts'

/**
 * A page by name. Labels, classes, states and files are looked up by the database; a selector that nobody meets is told
 * why. @throws SelectorError, ApiError `unknown-model`
 */
export async function listDevices(
  input: OperationInput<'devices.list'>,
  { context }: Call,
): Promise<OperationAnswer<'devices.list'>> {
  const { db, now } = context
  const { where, q, state, health, all = false, limit = USUAL_ITEMS, cursor } = input
  const after = cursor === undefined ? '' : parseCursor(placeSchema, cursor)[0]
  const filter: DeviceFilter = {
    ...{ selector: where ?? [], search: q, class: input.class, withRetired: all },
    isOnline: state && state === 'online',
    isAlarmed: health && health === 'alarm',
    runs: await runsOf(context, input),
  }
  const page = await findDevicePage(db, filter, after, limit, (device) => subjectOf(device, {}))
  if (where !== undefined && page.devices.length === 0 && cursor === undefined) {
    await selected(db, await (all ? deviceRows.allDevices(db) : deviceRows.listDevices(db)), where)
  }
  const last = page.devices.at(-1)
  return {
    items: await deviceViews(db, page.devices, now()),
    next: page.hasMore && last ? printCursor([last.id]) : null,
    total: page.total,
  }
}

const placeSchema = z.tuple([z.string()])

/** Files that a revision was built into; all of the model's where no revision is named. */
async function runsOf(
  context: ConductorContext,
  { model: name, revision }: OperationInput<'devices.list'>,
): Promise<DeviceFilter['runs']> {
  if (name === undefined) {
    if (revision === undefined) return undefined
    throw new UsageError('a revision is one of a model: name the model too')
  }
  await modelNamed(context, name)
  if (revision === undefined) return { model: name }
  const found = (await models.revisionsOf(context.db, name)).find(
    (one) => one.revision === revision,
  )
  if (found === undefined) {
    throw new ApiError(
      'unknown-model',
      `${name} has no revision ${revision}: see fitment models history ${name}`,
    )
  }
  return { model: name, variants: await variants.digestsOf(context.db, found.source) }
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
  const ids = devices.map(({ id }) => id)
  const labels = await deviceLabels.deviceLabels(db, ids)
  const retired = await retirements.retirements(db)
  const doubles = await doublesSince(db, new Date(now.getTime() - DOUBLES_SHOWN_MS))
  const raised = await alarms.raisedOn(db, ids)
  const told = await health.lastTold(db, ids)
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
        healthToldAt: told.get(device.id) ?? null,
        garbage: device.garbage,
        garbageNote: device.garbageNote,
        doubleSeen: doubles.get(device.id)?.lastAt ?? null,
        alarms: raised.get(device.id) ?? 0,
      }
    }),
  )
}

interface Origin {
  readonly scheme: string | null
  readonly revision: number | null
}

/** What a file was built of; asked once for each, however many devices have it. */
export function originsOf(
  db: Db,
): (file: { readonly model: string; readonly variant: string }) => Promise<Origin> {
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
