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
import type { ConductorContext } from './context/context.ts'
import { entrantsOf, readyOnes } from './pipeline/pipeline-plan.ts'
import { giveUpProbe, orderProbe } from './pipeline/probe-orders.ts'
import { activeVariant } from './rollouts/assignments.ts'

/**
 * Every device measures what it was given, once it runs there: shortly, beside float32 as its class did, a few devices at a
 * time. Devices that measured for their class did so already.
 */
export async function advanceRechecks(context: ConductorContext): Promise<void> {
  const { db, settings } = context
  if (settings.rechecksAtOnce === 0) return
  let open = 0
  for (const recheck of await rechecks.askedRechecks(db))
    if (!(await isAnswered(context, recheck))) open += 1
  const due = await rechecks.dueRechecks(db, Math.max(0, settings.rechecksAtOnce - open))
  if (due.length === 0) return
  const measuring = new Set(await probeRows.measuringDevices(db))
  for (const recheck of due) {
    if (measuring.size >= settings.probesAtOnce) return
    if (measuring.has(recheck.device)) continue
    if (await ask(context, recheck)) measuring.add(recheck.device)
  }
}

async function isAnswered(context: ConductorContext, recheck: Recheck): Promise<boolean> {
  const { db, now } = context
  const probe = recheck.probe === null ? undefined : await probeRows.findProbe(db, recheck.probe)
  if (probe?.state === 'ordered') {
    if (new Date(probe.deadline) > now()) return false
    await giveUpProbe(context, probe)
  }
  await rechecks.setRecheck(db, recheck, { state: 'done' }, now())
  return true
}

async function ask(context: ConductorContext, recheck: Recheck): Promise<boolean> {
  const { db, now } = context
  const model = await models.modelById(db, recheck.model)
  const device = await deviceRows.findDevice(db, recheck.device)
  const variant = await variants.findVariant(db, recheck.variant)
  const runs = device && activeVariant(device, recheck.modelName)
  if (!model || !variant?.digest || runs !== variant.digest) {
    await rechecks.setRecheck(db, recheck, { state: 'done' }, now())
    return false
  }
  const candidates = await candidateViews(context, model, recheck.class)
  const ready = readyOnes(candidates, model.constraints.maxAccuracyDrop)
  const entrant = entrantsOf(ready, candidates).find(({ key }) => key === variant.key)
  const rival = entrant?.yardstick === variant.key ? null : (entrant?.yardstick ?? null)
  const quietMs = (await acceptsNoise(db, model.id)) ? 0 : patienceAfter(0)
  const order = {
    match: 'heat',
    variant: variant.key,
    rival,
    device: recheck.device,
    quietMs,
  } as const
  await orderProbe(context, model, recheck, order, (trx, probe) =>
    rechecks.setRecheck(trx, recheck, { state: 'asked', probe }, now()),
  )
  return true
}
