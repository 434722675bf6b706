import type { HeardReport, ReportKind, ReportOf } from '../../shared/messages/index.ts'
import { afterReport, standingOf } from '../rollout/index.ts'
import {
  audit,
  type Db,
  devices as deviceRows,
  orders,
  probes,
  type RolloutDevice,
  rechecks,
  reports,
  rollouts,
  runtimePackages,
  type StoredReport,
  selections,
  variants,
} from '../storage/index.ts'
import { commit } from './context/commit.ts'
import type { ConductorContext } from './context/context.ts'
import { noteObservations } from './health/health-windows.ts'
import { extendDeadline } from './pipeline/probe-orders.ts'
import { activeVariant } from './rollouts/assignments.ts'
import { noteLost } from './rollouts/withdrawal.ts'
import { giveUp, notePackage } from './runtimes/package-reports.ts'

const BATCH = 200
const MOST_BATCHES = 5

type Handlers = {
  readonly [K in ReportKind]: (
    context: ConductorContext,
    db: Db,
    device: string,
    report: ReportOf<K>,
  ) => Promise<void>
} & { readonly later: () => Promise<void> }

/**
 * Applies what devices reported, oldest first, each in one transaction with its own mark: never twice, never
 * not. False where more is left: whoever says much must not keep rollouts from going on.
 */
export async function emptyInbox(context: ConductorContext): Promise<boolean> {
  for (let batches = 0; batches < MOST_BATCHES; batches += 1) {
    const batch = await reports.unhandledReports(context.db, BATCH)
    for (const stored of batch) await handle(context, stored)
    if (batch.length < BATCH) return true
  }
  return false
}

async function handle(
  context: ConductorContext,
  { seq, device, report }: StoredReport,
): Promise<void> {
  await commit(context, 'report.handled', async (trx) => {
    const handler = HANDLERS[report.kind] as (
      e: ConductorContext,
      db: Db,
      d: string,
      r: HeardReport,
    ) => Promise<void>
    await handler({ ...context, db: trx }, trx, device, report)
    if (report.kind === 'observations') await reports.dropReport(trx, seq)
    else await reports.markHandled(trx, seq, context.now())
  })
}

const HANDLERS: Handlers = {
  async ack(context, db, device, report) {
    await orders.ackOrder(db, device, report.order, context.now())
    const known = await orders.findOrder(db, report.order)
    if (known?.device !== device) return
    if (known.order?.kind === 'cancel') await orders.closeOrder(db, report.order)
    if (known.order?.kind === 'probe') await extendDeadline(context, known.order)
  },

  async probe(context, db, device, report) {
    const probe = await probes.findProbe(db, report.order)
    // A device speaks only for the orders it was given.
    if (probe?.device !== device) return
    const { result } = report
    const outcome =
      result.outcome === 'measured'
        ? ({ state: 'measured', record: result.record } as const)
        : ({ state: 'failed', error: result.error } as const)
    await probes.finishProbe(db, report.order, outcome, context.now())
    await orders.closeOrder(db, report.order)
  },

  async install(context, db, device, report) {
    const offer = await runtimePackages.offerByOrder(db, report.order)
    if (offer?.device === device) {
      if (report.state === 'active') await noteActive(db, device, report.model, report.variant)
      return await notePackage(context, db, offer, report)
    }
    const member = await rollouts.memberByOrder(db, report.order)
    if (member?.device !== device) return
    if (report.state === 'active') await noteActive(db, device, report.model, report.variant)
    const state = afterReport(member.state, report.state)
    if (!state) return
    const error = report.error ? `${report.error.code}: ${report.error.message}` : null
    await rollouts.setMemberState(db, member, { state, error }, context.now())
    if (state === 'active') await noteRecheck(context, db, member)
    if (standingOf(state) !== 'under-way') await orders.closeOrder(db, report.order)
  },

  async health(context, db, device, report) {
    await noteActive(db, device, report.model, report.variant)
    await noteLost(db, device, report.model, report.variant, context.now())
    for (const member of await rollouts.membershipsOf(db, device, report.model)) {
      const variant = member.variant ? await variants.findVariant(db, member.variant) : undefined
      const isThis = variant?.digest === report.variant
      if (member.state !== 'active' || (report.healthy && isThis)) continue
      // Something else runs there: the next look at the rollout gives the variant again. The same runs ill: it failed.
      if (!isThis) continue
      const to = { state: 'rolled-back', error: report.detail } as const
      await rollouts.setMemberState(db, member, to, context.now())
    }
  },

  async refused(context, db, device, { order, error }) {
    if ((await orders.findOrder(db, order))?.device !== device) return
    await orders.closeOrder(db, order)
    await probes.finishProbe(db, order, { state: 'failed', error }, context.now())
    const text = `${error.code}: ${error.message}`
    const member = await rollouts.memberByOrder(db, order)
    if (member) {
      await rollouts.setMemberState(db, member, { state: 'refused', error: text }, context.now())
    }
    const offer = await runtimePackages.offerByOrder(db, order)
    if (offer) await giveUp(context, db, offer, text)
    context.log.warn({ device, order }, `an order was refused: ${text}`)
    const entry = { actor: `device:${device}`, action: 'order.refused', subject: device }
    await audit.writeAudit(db, { ...entry, detail: { order, ...error } }, context.now())
  },

  async observations(context, db, device, report) {
    await noteObservations(context, db, device, report)
  },

  // A newer planner stored it, and this one cannot tell what it says.
  async later() {},
}

/** A device that did not measure for its class what it was given does so now. */
async function noteRecheck(
  { settings, now }: ConductorContext,
  db: Db,
  { device, rollout: id, variant }: RolloutDevice,
): Promise<void> {
  const rollout = await rollouts.findRollout(db, id)
  const chosen = rollout && (await selections.selectionBySeq(db, rollout.selection))
  if (settings.rechecksAtOnce === 0 || !chosen || variant === null) return
  const { model, modelName, class: classId } = rollout
  if (await probes.hasMeasured(db, { device, model, variant })) return
  const { round } = chosen
  await rechecks.setDue(db, { device, modelName, model, class: classId, round, variant }, now())
}

/** The device's own word on what it runs for a model; null: nothing. */
async function noteActive(
  db: Db,
  id: string,
  model: string,
  variant: string | null,
): Promise<void> {
  const device = await deviceRows.findDevice(db, id)
  if (!device || activeVariant(device, model) === variant) return
  const others = device.slots
    .filter((slot) => slot.model !== model || slot.variant !== variant)
    .map((slot) => (slot.model === model ? { ...slot, active: false } : slot))
  const slots = variant === null ? others : [...others, { model, variant, active: true }]
  await deviceRows.recordSlots(db, id, slots)
}
