import { type ConductorContext, type Yardstick, yardstickOf } from '../../conductor/index.ts'
import { figuresOf, mergeObservations } from '../../health/index.ts'
import {
  alarms,
  type Device,
  devices as deviceRows,
  health,
  type LatestWindow,
} from '../../storage/index.ts'
import { type Call, modelNamed } from '../call/call.ts'
import type { OperationAnswer, OperationInput, OperationOutput } from '../contract/contract.ts'
import type { DeviceHealth, HealthView } from '../contract/health-views.ts'
import { pageIn } from '../contract/paging.ts'
import { originsOf, selected } from '../devices/read-devices.ts'

const DAY_MS = 86_400_000

type OriginOf = ReturnType<typeof originsOf>

/** How a model does: on each device now, and day by day on all of them. @throws ApiError `unknown-model`, SelectorError */
export async function readHealth(
  input: OperationInput<'health'>,
  { context }: Call,
): Promise<OperationOutput<'health'>> {
  const { db } = context
  const { name } = await modelNamed(context, input.model)
  const known = await deviceRows.listDevices(db)
  const all = input.where === undefined ? known : await selected(db, known, input.where)
  const asked = all.filter(
    ({ id, class: of }) =>
      (input.device === undefined || id === input.device) &&
      (input.class === undefined || of === input.class),
  )
  const byId = new Map(asked.map((device) => [device.id, device]))
  const origin = originsOf(db)
  const devices: DeviceHealth[] = []
  for (const window of await health.latestOf(db, name, input.device)) {
    const device = byId.get(window.device)
    if (device) devices.push(await deviceHealth(context, device, window, origin))
  }
  const raised = (await alarms.alarmsOf(db, { model: name })).filter(
    ({ count, device }) => count.state === 'raised' && byId.has(device),
  )
  return {
    model: name,
    devices,
    days: await daysOf(context, name, byId, input.days, origin),
    alarms: raised.length,
  }
}

/** A page of them; what each is of is asked for those alone. @throws ApiError `unknown-model` */
export async function readAlarms(
  { model, device, all, ...paging }: OperationInput<'alarms.list'>,
  { context }: Call,
): Promise<OperationAnswer<'alarms.list'>> {
  const { db } = context
  if (model !== undefined) await modelNamed(context, model)
  const known = await alarms.alarmsOf(db, { model, device })
  const shown = known.filter(
    ({ count, raisedAt }) => count.state === 'raised' || (all && raisedAt !== null),
  )
  const { items, ...page } = pageIn(shown, paging)
  const origin = originsOf(db)
  const views = items.map(async ({ count, ...alarm }) => {
    const [latest] = await health.latestOf(db, alarm.model, alarm.device)
    const variant = latest?.seen.variant
    const revision = variant ? (await origin({ model: alarm.model, variant })).revision : null
    return { ...alarm, revision, state: count.state }
  })
  return { ...page, items: await Promise.all(views) }
}

async function deviceHealth(
  context: ConductorContext,
  device: Device,
  { model, seen, receivedAt }: LatestWindow,
  origin: OriginOf,
): Promise<DeviceHealth> {
  const { reference, probeMs } = await yardstickOf(context, context.db, device, { model, ...seen })
  const figures = figuresOf(seen, reference, probeMs)
  const { p50 = null, p95 = null, p99 = null } = figures.latencyMs ?? {}
  const ratio = p95 !== null && probeMs?.p95 ? p95 / probeMs.p95 : null
  const { inferences, drift, worst, notFinite, foreign, hottestCelsius, throttled } = figures
  const ended = Date.parse(seen.from) + seen.windowMs
  return {
    ...{ device: device.id, class: device.class, online: device.online, variant: seen.variant },
    ...(await origin({ model, variant: seen.variant })),
    ...{ inferences, drift, notFinite, foreign, hottestCelsius, throttled },
    worst: worst.map(({ samples, ...distance }) => ({ ...distance, samples: [...samples] })),
    ...{ p50Ms: p50, p95Ms: p95, p99Ms: p99, p95Ratio: ratio },
    availableBytes: seen.host.availableBytes,
    restarts: seen.host.restarts,
    check: seen.check,
    receivedAt,
    clockOffS: Math.round((ended - Date.parse(receivedAt)) / 1000),
  }
}

async function daysOf(
  context: ConductorContext,
  model: string,
  devices: ReadonlyMap<string, Device>,
  days: number,
  origin: OriginOf,
): Promise<HealthView['days']> {
  const { db, now } = context
  const since = new Date(now().getTime() - (days - 1) * DAY_MS).toISOString().slice(0, 10)
  const groups = new Map<string, Group>()
  for (const { device: id, day, variant, seen } of await health.daysOf(db, model, since)) {
    const device = devices.get(id)
    if (!device) continue
    const key = `${day} ${variant}`
    const before = groups.get(key)
    const yardstick =
      before?.yardstick ?? (await yardstickOf(context, db, device, { model, ...seen }))
    groups.set(key, {
      ...{ model, day, variant, yardstick },
      seen: before ? mergeObservations(before.seen, seen) : seen,
      devices: (before?.devices ?? 0) + 1,
    })
  }
  return await Promise.all([...groups.values()].map((group) => dayView(group, origin)))
}

interface Group {
  readonly model: string
  readonly day: string
  readonly variant: string
  readonly devices: number
  readonly seen: LatestWindow['seen']
  readonly yardstick: Yardstick
}

async function dayView(
  { model, day, variant, devices, seen, yardstick }: Group,
  origin: OriginOf,
): Promise<HealthView['days'][number]> {
  const figures = figuresOf(seen, yardstick.reference, yardstick.probeMs)
  const { p50 = null, p95 = null, p99 = null } = figures.latencyMs ?? {}
  const { inferences, drift, worst, hottestCelsius } = figures
  return {
    ...{ day, variant, devices, inferences, drift, hottestCelsius },
    ...(await origin({ model, variant })),
    worst: worst[0]?.name ?? null,
    ...{ p50Ms: p50, p95Ms: p95, p99Ms: p99 },
  }
}
