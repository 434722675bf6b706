import { messageOf } from '../../shared/errors.ts'
import type { HeardReport, ReportKind, ReportOf } from '../../shared/messages/index.ts'
import { isPackageName } from '../../shared/trust/index.ts'
import { NOT_BESIDE } from '../probing/index.ts'
import {
  audit,
  capturedSamples,
  type Db,
  devices as deviceRows,
  memberships,
  orders,
  type ProbeOutcome,
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
import { bringReferences, noteObservations } from './health/health-windows.ts'
import { MemberBook } from './member-book.ts'
import { extendDeadline } from './pipeline/probe-orders.ts'
import { activeVariant } from './rollouts/assignments.ts'
import { noteLost } from './rollouts/withdrawal.ts'
import { giveUp, notePackage } from './runtimes/package-reports.ts'

const BATCH = 256
const MOST_BATCHES = 5

/** What handlers of one batch share: one transaction, and the members that its reports are about. */
interface Batch {
  readonly context: ConductorContext
  readonly db: Db
  readonly members: MemberBook
  /** Orders whose acknowledgements were written with all others. */
  readonly acknowledged: Acknowledged
  /** Who has something to be asked for, once this is committed. */
  readonly nudged: Set<string>
}

type Handlers = {
  readonly [K in ReportKind]: (batch: Batch, device: string, report: ReportOf<K>) => Promise<void>
} & { readonly later: () => Promise<void> }

/**
 * Applies what devices reported, oldest first, many in one transaction with their marks: never twice, never not. False where
 * more is left: whoever says much must not keep rollouts from going on.
 */
export async function emptyInbox(context: ConductorContext): Promise<boolean> {
  for (let batches = 0; batches < MOST_BATCHES; batches += 1) {
    const batch = await reports.unhandledReports(context.db, BATCH)
    await handleAll(context, batch)
    if (batch.length < BATCH) return true
  }
  return false
}

/** A report that cannot be applied keeps only itself from being applied. */
async function handleAll(context: ConductorContext, all: readonly StoredReport[]): Promise<void> {
  if (all.length === 0) return
  try {
    await handle(context, all)
  } catch (error) {
    if (all.length === 1 || context.stopping.aborted) throw error
    const reason = messageOf(error)
    context.log.warn({ reason, reports: all.length }, 'a batch of reports is applied one by one')
    for (const one of all) await handle(context, [one])
  }
}

async function handle(context: ConductorContext, all: readonly StoredReport[]): Promise<void> {
  const nudged = new Set<string>()
  const references = all.flatMap(({ report }) =>
    report.kind === 'observations' ? (report.reference ?? []) : [],
  )
  await bringReferences(context, references)
  await commit(context, 'report.handled', async (trx) => {
    const own = { ...context, db: trx }
    const ids = all.flatMap(({ report }) => (report.kind === 'install' ? report.order : []))
    const members = new MemberBook(trx, await memberships.membersByOrder(trx, [...new Set(ids)]))
    const acknowledged = await acknowledge(trx, all, context.now())
    const batch: Batch = { context: own, db: trx, members, acknowledged, nudged }
    for (const { device, report } of all) {
      const handler = HANDLERS[report.kind] as (
        b: Batch,
        d: string,
        r: HeardReport,
      ) => Promise<void>
      await handler(batch, device, report)
    }
    await members.write(context.now())
    const seqs = (isKept: boolean) =>
      all.filter(({ report }) => !PASSING.has(report.kind) === isKept).map(({ seq }) => seq)
    await reports.dropReports(trx, seqs(false))
    await reports.markHandled(trx, seqs(true), context.now())
  })
  for (const device of nudged) context.nudge(device)
}

interface Acknowledged {
  readonly asked: Set<string>
  /** Those that were open until now, by order. */
  readonly kinds: ReadonlyMap<string, string>
}

/** What devices acknowledge before they say anything else: a wave's orders are one statement. */
async function acknowledge(trx: Db, all: readonly StoredReport[], at: Date): Promise<Acknowledged> {
  const saidMore = new Set<string>()
  const said: orders.Acknowledgement[] = []
  for (const { device, report } of all) {
    if (report.kind !== 'ack') saidMore.add(device)
    else if (!saidMore.has(device)) said.push({ device, order: report.order })
  }
  const kinds = await orders.ackOrders(trx, said, at)
  return { kinds, asked: new Set(said.map(ackName)) }
}

function ackName({ device, order }: orders.Acknowledgement): string {
  return `${device} ${order}`
}

/** Reports that are not kept to tell a duplicate by. */
const PASSING: ReadonlySet<HeardReport['kind']> = new Set(['observations', 'captured'])

const HANDLERS: Handlers = {
  async ack({ context, db, acknowledged }, device, report) {
    const { asked, kinds } = acknowledged
    // Said twice, it was open once.
    const begun = asked.delete(ackName({ device, order: report.order }))
      ? kinds.get(report.order)
      : await orders.ackOrder(db, device, report.order, context.now())
    if (begun === 'assign') return
    const known = await orders.findOrder(db, report.order)
    if (known?.device !== device) return
    if (known.order?.kind === 'cancel') await orders.closeOrder(db, report.order)
    // Who says again that it has the order gets no more time for it.
    if (begun !== undefined && known.order?.kind === 'probe')
      await extendDeadline(context, known.order)
  },

  async probe({ context, db }, device, report) {
    const probe = await probes.findProbe(db, report.order)
    // A device speaks only for the orders it was given.
    if (probe?.device !== device) return
    await probes.finishProbe(db, report.order, outcomeOf(report.result), context.now())
    const said = new Map(report.others?.map((one) => [one.probe, one.result]))
    await finishOthers({ context, db }, device, report.order, (id) => said.get(id))
    await orders.closeOrder(db, report.order)
    context.agenda.pipeline(probe)
  },

  async install({ context, db, members }, device, report) {
    if (isPackageName(report.model)) {
      const offer = await runtimePackages.offerByOrder(db, report.order)
      if (offer?.device !== device) return
      if (report.state === 'active') await noteActive(db, device, report.model, report.variant)
      await notePackage(context, db, offer, report)
      context.agenda.packages(device)
      return
    }
    const member = members.byOrder(report.order)
    if (member?.device !== device) return
    if (report.state === 'active') await noteActive(db, device, report.model, report.variant)
    if (!members.report(member, report.state, whyThere(report))) return
    if (report.state === 'active') await noteRecheck(context, db, member)
    context.agenda.rollout(member.rollout)
  },

  async health({ context, db, members }, device, report) {
    // What it said before this is not yet written.
    await members.write(context.now())
    await noteActive(db, device, report.model, report.variant)
    context.agenda.device(device)
    if (await noteLost(db, device, report.model, report.variant, context.now()))
      context.agenda.returns()
    for (const member of await rollouts.membershipsOf(db, device, report.model)) {
      const variant = member.variant ? await variants.findVariant(db, member.variant) : undefined
      const isThis = variant?.digest === report.variant
      if (member.state !== 'active' || (report.healthy && isThis)) continue
      // Something else runs there: the next look at the rollout gives the variant again. The same runs ill: it failed.
      if (!isThis) continue
      await fail({ context, db, members }, member, 'rolled-back', report.detail)
    }
  },

  async refused({ context, db, members }, device, { order, error }) {
    if ((await orders.findOrder(db, order))?.device !== device) return
    await members.write(context.now())
    await orders.closeOrder(db, order)
    const probe = await probes.findProbe(db, order)
    await probes.finishProbe(db, order, { state: 'failed', error }, context.now())
    await finishOthers({ context, db }, device, order, () => undefined)
    if (probe) context.agenda.pipeline(probe)
    const text = `${error.code}: ${error.message}`
    const member = await rollouts.memberByOrder(db, order)
    if (member) await fail({ context, db, members }, member, 'refused', text)
    const offer = await runtimePackages.offerByOrder(db, order)
    if (offer) await giveUp(context, db, offer, text)
    context.log.warn({ device, order }, `an order was refused: ${text}`)
    const entry = { actor: `device:${device}`, action: 'order.refused', subject: device }
    await audit.writeAudit(db, { ...entry, detail: { order, ...error } }, context.now())
  },

  async observations({ context, db }, device, report) {
    await noteObservations(context, db, device, report)
  },

  async captured({ context, db, nudged }, device, { model, samples, gone }) {
    if ((await deviceRows.findDevice(db, device)) === undefined) return
    await capturedSamples.withdraw(db, device, gone)
    await capturedSamples.offer(db, device, model, samples, context.now())
    nudged.add(device)
  },

  // A newer planner stored it, and this one cannot tell what it says.
  async later() {},
}

function outcomeOf(result: ReportOf<'probe'>['result']): ProbeOutcome {
  return result.outcome === 'measured'
    ? { state: 'measured', record: result.record }
    : { state: 'failed', error: result.error }
}

/** What an agent says nothing of was not measured: it did not know of others, or came to nothing before them. */
async function finishOthers(
  { context, db }: Pick<Batch, 'context' | 'db'>,
  device: string,
  id: string,
  said: (probe: string) => ReportOf<'probe'>['result'] | undefined,
): Promise<void> {
  const known = await orders.findOrder(db, id)
  if (known?.device !== device || known.order?.kind !== 'probe') return
  for (const { probe } of known.order.others ?? []) {
    const result = said(probe)
    const outcome = result ? outcomeOf(result) : UNSAID
    await probes.finishProbe(db, probe, outcome, context.now())
  }
}

const UNSAID: ProbeOutcome = {
  state: 'failed',
  error: {
    code: NOT_BESIDE,
    message: 'the device measured only the first of those it was asked for',
  },
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

/** What failed, or what it waits for. */
function whyThere({ error, waitsFor }: ReportOf<'install'>): string | null {
  if (error) return `${error.code}: ${error.message}`
  return waitsFor === undefined ? null : `waits for ${waitsFor}`
}

async function fail(
  { context, db, members }: Pick<Batch, 'context' | 'db' | 'members'>,
  member: RolloutDevice,
  state: 'rolled-back' | 'refused',
  error: string,
): Promise<void> {
  await rollouts.setMemberState(db, member, { state, error }, context.now())
  members.forget(member.orderId)
  context.agenda.rollout(member.rollout)
}

/** The device's own word on what it runs for a model; null: nothing. */
async function noteActive(
  db: Db,
  id: string,
  model: string,
  variant: string | null,
): Promise<void> {
  const known = await deviceRows.slotsOf(db, id)
  if (!known || activeVariant({ slots: known }, model) === variant) return
  const others = known
    .filter((slot) => slot.model !== model || slot.variant !== variant)
    .map((slot) => (slot.model === model ? { ...slot, active: false } : slot))
  const slots = variant === null ? others : [...others, { model, variant, active: true }]
  await deviceRows.recordSlots(db, id, slots)
}
