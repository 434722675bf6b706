import { CLASS_SEPARATOR } from '../../../shared/trust/index.ts'
import { formatRatio } from '../../../shared/units.ts'
import {
  isUsable,
  type Speed,
  type TellingFact,
  type TwoSpeeds,
  tellingFact,
  twoSpeeds,
} from '../../probing/index.ts'
import {
  acceptsNoise,
  audit,
  type ClassPart,
  classParts,
  type Db,
  type Device,
  devices as deviceRows,
  models,
  type Probe,
  probes as probeRows,
} from '../../storage/index.ts'
import type { PipelineName } from '../context/agenda.ts'
import { commit } from '../context/commit.ts'
import type { ConductorContext } from '../context/context.ts'
import { reclassifyDevices } from './classification.ts'
import { deviceFacts } from './device-facts.ts'

/** A class that runs a variant at two speeds. */
export interface Noticed {
  readonly variant: string
  readonly two: TwoSpeeds
  /** What tells the two apart; undefined: nothing that is known. */
  readonly fact: TellingFact | undefined
}

/** Of a name: nothing that a topic, a file or a shell takes for something else. */
const UNSAFE = /[^\w.-]+/g
const MOST_LETTERS = 32
/** Devices of each side that are named. */
const MOST_NAMED = 8

/** Of a class so many measurements are looked through, the newest: two speeds show in them, or in the next. */
const LOOKED_THROUGH = 1_000

/** The clearest division of a class by one model's measurements, of all rounds; undefined where it runs at one speed. */
export async function noticedIn(
  db: Db,
  { model, class: classId }: PipelineName,
): Promise<Noticed | undefined> {
  const noise = await acceptsNoise(db, model)
  const last = await probeRows.lastProbesOf(db, { model, class: classId }, LOOKED_THROUGH)
  const all = last.filter((probe) => probe.match === null && isUsable(probe, noise))
  const devices = await deviceRows.findDevices(db, [...new Set(all.map(({ device }) => device))])
  const found: Noticed[] = []
  for (const variant of new Set(all.map((probe) => probe.variant))) {
    const own = all.filter((probe) => probe.variant === variant)
    const two = twoSpeeds(speedsOf(devices, own))
    if (two) found.push({ variant, two, fact: tellingFact(two) })
  }
  return found.sort((a, b) => b.two.separation - a.two.separation)[0]
}

/** The newest of each device. */
function speedsOf(devices: ReadonlyMap<string, Device>, probes: readonly Probe[]): Speed[] {
  const newest = new Map(probes.map((probe) => [probe.device, probe]))
  return [...newest.values()].flatMap(({ device, record }) => {
    const row = devices.get(device)
    if (!row || !record) return []
    return [{ device, p50Ms: record.latency.p50Ms, facts: deviceFacts(row, record) }]
  })
}

/** `runs at two speeds, 1.62× apart (D = 9.1): governor performance on a, b, c; powersave on d, e, f`. */
export function describeParts({ two, fact }: Noticed): string {
  const named = (side: readonly Speed[]) => {
    const first = side.slice(0, MOST_NAMED).map(({ device }) => device)
    const rest = side.length - first.length
    return `${first.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
  }
  const apart = `runs at two speeds, ${formatRatio(two.ratio)} apart (D = ${two.separation.toFixed(1)})`
  if (fact === undefined)
    return `${apart}: ${named(two.fast)} are faster than ${named(two.slow)}; nothing that is known of them tells them apart`
  return `${apart}: ${fact.fact} ${fact.fast} on ${named(two.fast)}; ${fact.slow} on ${named(two.slow)}`
}

/**
 * Classes whose devices run at two speeds, and where a fact tells them apart, become two, each with a choice of its own. A
 * part is not split again by the same fact.
 */
export async function advanceParts(
  context: ConductorContext,
  pipelines: readonly PipelineName[],
): Promise<void> {
  const { db } = context
  for (const pipeline of pipelines) {
    const model = await models.modelById(db, pipeline.model)
    const noticed = model && (await noticedIn(db, pipeline))
    if (!noticed?.fact) continue
    await split(context, pipeline.class, noticed.fact, describeParts(noticed))
  }
}

async function split(
  context: ConductorContext,
  whole: string,
  { fact, fast, slow }: TellingFact,
  reason: string,
): Promise<void> {
  const { db, now, profiles, agenda, log } = context
  const known = await classParts.listParts(db)
  if (known.some((one) => one.class === whole || (one.part === whole && one.fact === fact))) return
  const parts = [fast, slow].map(
    (value): ClassPart => ({
      class: whole,
      fact,
      value,
      part: partName(whole, fact, value),
      reason,
    }),
  )
  const changed = await commit(context, 'class.split', async (trx) => {
    await classParts.addParts(trx, parts, now())
    const detail = { reason, parts: parts.map(({ part }) => part) }
    await audit.writeAudit(
      trx,
      { actor: 'planner', action: 'class.split', subject: whole, detail },
      now(),
    )
    return await reclassifyDevices(trx, await deviceRows.devicesOfClass(trx, whole), profiles)
  })
  log.info({ class: whole, reason }, 'a class was split')
  for (const device of changed) agenda.device(device)
  agenda.everything()
}

function partName(whole: string, fact: string, value: string): string {
  const name = `${fact}-${value}`.replace(UNSAFE, '-').slice(0, MOST_LETTERS)
  return `${whole}${CLASS_SEPARATOR}${name}`
}
