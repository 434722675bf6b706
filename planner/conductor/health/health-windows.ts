import { setTimeout as sleep } from 'node:timers/promises'
import type { Digest } from '../../../shared/digest.ts'
import { messageOf } from '../../../shared/errors.ts'
import type { ReportOf } from '../../../shared/messages/index.ts'
import { parseReferenceSketch, type ReferenceSketch } from '../../../shared/sketch/index.ts'
import {
  appliesTo,
  count,
  evidenceOf,
  type Figures,
  figuresOf,
  hold,
  mergeObservations,
  type Percentiles,
  probePercentiles,
  QUIET,
  type Rule,
} from '../../health/index.ts'
import {
  type ArtifactReader,
  alarms,
  audit,
  type DayPoint,
  type Db,
  type Device,
  devices as deviceRows,
  health,
  models,
  probes,
  variants,
} from '../../storage/index.ts'
import type { ConductorContext } from '../context/context.ts'

/** What observations are held against. */
export interface Yardstick {
  readonly reference: ReferenceSketch | null
  readonly probeMs: Percentiles | null
}

/** Stores a window, adds it to its day, and counts it by the rules. Twice is as once. */
export async function noteObservations(
  context: ConductorContext,
  db: Db,
  deviceId: string,
  report: ReportOf<'observations'>,
): Promise<void> {
  const device = await deviceRows.findDevice(db, deviceId)
  const [latest] = await health.latestOf(db, report.model, deviceId)
  if (!device || latest?.report === report.id) return
  // Nobody here made this variant: an application of the device speaks of what is none of ours.
  if ((await variants.variantByDigest(db, report.variant)) === undefined) return
  const { v: _, id, at: __, kind: ___, model, ...seen } = report
  const now = context.now()
  const receivedAt = now.toISOString()
  const figures = figuresOf(seen, ...(await yardsticks(here(context), db, device, report)))
  await health.putLatest(db, { device: deviceId, model, report: id, seen, receivedAt })
  // By our clock: a device's may be years away, and its own word stays in the window.
  const key = { device: deviceId, model, variant: seen.variant, day: receivedAt.slice(0, 10) }
  const day = await health.dayOf(db, key)
  await health.putDay(db, key, {
    seen: day ? mergeObservations(day.seen, seen) : seen,
    points: [...(day?.points ?? []), pointOf(figures, now)],
  })
  await countAlarms(context, db, device, model, figures)
}

/** Inside a transaction nothing is waited for that may never come. */
function here({ artifacts, log }: ConductorContext): ReferenceContext {
  return { artifacts: artifacts.here, log }
}

/** Longest that references are waited for: without one, a window is counted without its drift. */
const REFERENCES_MS = 5_000

/** References that these reports name, where they can be read without a network from then on. */
export async function bringReferences(
  context: ConductorContext,
  named: readonly Digest[],
): Promise<void> {
  if (named.length === 0 || context.artifacts.isHere) return
  const tooLong = sleep(REFERENCES_MS, undefined, { ref: false })
  await Promise.race([bring(context, new Set(named)), tooLong])
}

async function bring({ db, artifacts, log }: ConductorContext, named: Iterable<Digest>) {
  for (const digest of named) {
    if (!(await health.isSketch(db, digest))) continue
    await artifacts.read(digest).catch((error) => {
      log.warn({ sketch: digest }, `a reference cannot be read: ${messageOf(error)}`)
    })
  }
}

interface ReferenceContext {
  readonly artifacts: ArtifactReader
  readonly log: ConductorContext['log']
}

async function yardsticks(
  context: ReferenceContext,
  db: Db,
  device: Device,
  seen: { readonly model: string; readonly variant: string; readonly reference: string | null },
): Promise<[ReferenceSketch | null, Percentiles | null]> {
  const { reference, probeMs } = await yardstickOf(context, db, device, seen)
  return [reference, probeMs]
}

/** The reference that a window names, if we made it, and what was measured of the variant: on this device, else on another of its class. */
export async function yardstickOf(
  context: ReferenceContext,
  db: Db,
  device: Pick<Device, 'id' | 'class'>,
  {
    model,
    variant,
    reference,
  }: { readonly model: string; readonly variant: string; readonly reference: string | null },
): Promise<Yardstick> {
  return {
    reference: reference === null ? null : await referenceOf(context, db, reference),
    probeMs: await probeOf(db, device, model, variant),
  }
}

async function referenceOf(
  { artifacts, log }: ReferenceContext,
  db: Db,
  digest: string,
): Promise<ReferenceSketch | null> {
  if (!(await health.isSketch(db, digest))) return null
  try {
    return parseReferenceSketch((await artifacts.read(digest)).toString())
  } catch (error) {
    log.warn({ sketch: digest }, `a reference cannot be read: ${messageOf(error)}`)
    return null
  }
}

async function probeOf(
  db: Db,
  device: Pick<Device, 'id' | 'class'>,
  model: string,
  digest: string,
): Promise<Percentiles | null> {
  const variant = await variants.variantByDigest(db, digest)
  const revision = variant && (await models.revisionOf(db, model, variant.source))
  if (!variant || !revision) return null
  if (device.class === null) return null
  const asked = { model: revision.id, class: device.class, variant: variant.key }
  const record =
    (await probes.newestRecord(db, { ...asked, device: device.id })) ??
    (await probes.newestRecord(db, asked))
  return record ? probePercentiles(record) : null
}

function pointOf({ inferences, drift, latencyMs, hottestCelsius }: Figures, now: Date): DayPoint {
  const minute = now.getUTCHours() * 60 + now.getUTCMinutes()
  return [minute, inferences, drift, latencyMs?.p95 ?? null, hottestCelsius]
}

async function countAlarms(
  context: ConductorContext,
  db: Db,
  device: Device,
  model: string,
  figures: Figures,
): Promise<void> {
  const known = await alarms.alarmsOf(db, { model, device: device.id })
  for (const rule of await context.alarmRules()) {
    if (!appliesTo(rule, { model, class: device.class })) continue
    const before = known.find((alarm) => alarm.rule === rule.name)
    await countOne(context, db, { rule, device: device.id, model, figures, before })
  }
}

interface Counted {
  readonly rule: Rule
  readonly device: string
  readonly model: string
  readonly figures: Figures
  readonly before: alarms.StoredAlarm | undefined
}

async function countOne(
  { now, log }: ConductorContext,
  db: Db,
  { rule, device, model, figures, before }: Counted,
): Promise<void> {
  const held = hold(rule.must, figures)
  const after = count(before?.count ?? QUIET, held.holds, rule)
  // Who never broke a rule needs no row.
  if (before === undefined && after.broken === 0) return
  const isRaised = after.state === 'raised' && before?.count.state !== 'raised'
  const isCleared = after.state !== 'raised' && before?.count.state === 'raised'
  const at = now().toISOString()
  const evidence =
    held.holds === false ? evidenceOf(held, figures) : (before?.evidence ?? 'as it should be')
  await alarms.putAlarm(db, {
    ...{ rule: rule.name, model, device, count: after, evidence, updatedAt: at },
    raisedAt: isRaised ? at : (before?.raisedAt ?? null),
    clearedAt: isCleared ? at : (before?.clearedAt ?? null),
  })
  if (!isRaised && !isCleared) return
  const action = isRaised ? 'alarm.raised' : 'alarm.cleared'
  const detail = { device, rule: rule.name, evidence }
  log.warn({ model, ...detail }, isRaised ? 'alarm' : 'alarm is over')
  await audit.writeAudit(db, { actor: 'planner', action, subject: model, detail }, now())
}
