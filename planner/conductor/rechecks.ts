import { patienceAfter } from '../probing/index.ts'
import {
  acceptsNoise,
  devices as deviceRows,
  models,
  probes as probeRows,
  type Recheck,
  rechecks,
  variants,
} from '../storage/index.ts'
import { candidateViews } from './building/candidates.ts'
import { commit } from './context/commit.ts'
import type { ConductorContext } from './context/context.ts'
import { entrantsOf, readyOnes } from './pipeline/pipeline-plan.ts'
import { giveUpProbe, type NewProbe, newProbe } from './pipeline/probe-orders.ts'
import { activeVariant } from './rollouts/assignments.ts'

/**
 * Every device measures what it was given, once it runs there: shortly, beside float32 as its class did, a few devices at a
 * time. Devices that measured for their class did so already. Between ticks it waits until half of the places are free, so
 * that several are asked together.
 */
export async function advanceRechecks(
  context: ConductorContext,
  { isTick }: { readonly isTick: boolean },
): Promise<void> {
  const { db, settings, now } = context
  if (settings.rechecksAtOnce === 0) return
  const asked = await rechecks.askedRechecks(db)
  const answered = asked.filter((one) => !isOpen(context, one))
  const free = settings.rechecksAtOnce - (asked.length - answered.length)
  if (free <= 0 || (!isTick && free < settings.rechecksAtOnce / 2)) return
  for (const { open } of answered) if (open) await giveUpProbe(context, open)
  const { probes, pointless } = await nextOnes(context, free)
  if (answered.length + probes.size + pointless.length === 0) return
  await commit(context, 'probe.ordered', async (trx) => {
    for (const recheck of [...answered, ...pointless])
      await rechecks.setRecheck(trx, recheck, { state: 'done' }, now())
    for (const [recheck, probe] of probes) {
      await probe.write(trx)
      await rechecks.setRecheck(trx, recheck, { state: 'asked', probe: probe.id }, now())
    }
  })
  for (const { device } of probes.values()) context.nudge(device)
}

/** Its device may still answer. */
function isOpen(
  { now }: ConductorContext,
  { open }: Awaited<ReturnType<typeof rechecks.askedRechecks>>[number],
): boolean {
  return open !== null && new Date(open.deadline) > now()
}

interface NextOnes {
  readonly probes: ReadonlyMap<Recheck, NewProbe>
  /** Of devices that run something else by now. */
  readonly pointless: readonly Recheck[]
}

/** Who is asked next, at most so many. */
async function nextOnes(context: ConductorContext, most: number): Promise<NextOnes> {
  const { db, settings } = context
  const probes = new Map<Recheck, NewProbe>()
  const pointless: Recheck[] = []
  const due = await rechecks.dueRechecks(db, most)
  const measuring = new Set(due.length === 0 ? [] : await probeRows.measuringDevices(db))
  const chosen = new Chosen(context)
  for (const recheck of due) {
    if (measuring.size >= settings.probesAtOnce) break
    if (measuring.has(recheck.device)) continue
    const probe = await probeFor(context, recheck, chosen)
    if (probe) probes.set(recheck, probe)
    else pointless.push(recheck)
    if (probe) measuring.add(recheck.device)
  }
  return { probes, pointless }
}

/** What devices of a model and class are asked for, read once for all that are asked together. */
class Chosen {
  readonly #context: ConductorContext
  readonly #read = new Map<string, ReturnType<typeof chosenIn>>()

  constructor(context: ConductorContext) {
    this.#context = context
  }

  of({ model, class: classId }: Pick<Recheck, 'model' | 'class'>): ReturnType<typeof chosenIn> {
    const name = `${model} ${classId}`
    const read = this.#read.get(name) ?? chosenIn(this.#context, model, classId)
    this.#read.set(name, read)
    return read
  }
}

async function chosenIn(context: ConductorContext, id: string, classId: string) {
  const { db } = context
  const model = await models.modelById(db, id)
  if (model === undefined) return undefined
  const candidates = await candidateViews(context, model, classId)
  const ready = readyOnes(candidates, model.constraints.maxAccuracyDrop)
  const entrants = entrantsOf(ready, candidates)
  const quietMs = (await acceptsNoise(db, model.id)) ? 0 : patienceAfter(0)
  return { model, entrants, quietMs }
}

async function probeFor(
  context: ConductorContext,
  recheck: Recheck,
  all: Chosen,
): Promise<NewProbe | undefined> {
  const { db } = context
  const chosen = await all.of(recheck)
  const device = await deviceRows.findDevice(db, recheck.device)
  const variant = await variants.findVariant(db, recheck.variant)
  if (!chosen || !device || !variant?.digest) return undefined
  if (activeVariant(device, recheck.modelName) !== variant.digest) return undefined
  const { model, entrants, quietMs } = chosen
  const entrant = entrants.find(({ key }) => key === variant.key)
  const rival = entrant?.yardstick === variant.key ? null : (entrant?.yardstick ?? null)
  const match = { match: 'heat', variant: variant.key, rival, device: device.id, quietMs } as const
  return newProbe(context, model, recheck, match)
}
