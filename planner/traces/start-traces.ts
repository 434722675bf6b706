import type { Logger } from 'pino'
import { messageOf } from '../../shared/errors.ts'
import { VERSION } from '../../shared/version.ts'
import type { ConductorContext } from '../conductor/index.ts'
import { audit, events, models, probes, rollouts, selections, traced } from '../storage/index.ts'
import { type Collector, pause, send } from './collector.ts'
import { exportRequest, type Span } from './otlp.ts'
import { planTrace } from './plan-trace.ts'
import { rolloutTrace } from './rollout-trace.ts'

const LOOK_MS = 2_000
const LONGEST_PAUSE_MS = 60_000
const MOST_AT_ONCE = 32
/** Devices of one rollout that have a span of their own. */
const MOST_DEVICES = 256
const MOST_MOVES = 500

/** Who reads what by these names: one place in the selections, one in the audit. */
const READERS = { plans: 'traces.plans', rollouts: 'traces.rollouts' } as const
const ENDS: ReadonlySet<unknown> = new Set(['done', 'aborted', 'superseded'])

interface Options {
  readonly context: Pick<ConductorContext, 'db' | 'leads'>
  readonly fleet: string
  readonly collector: Collector
  readonly log: Logger
}

/** A trace that is due, and the place behind it. */
interface Due {
  readonly reader: string
  readonly place: number
  readonly spans: readonly Span[]
}

/**
 * Tells a collector of each plan and each rollout that came to its end. Traces are made of what the database says, so
 * nothing else waits for them: a collector that is away or hangs loses nothing, slows nothing, and is said once.
 */
export async function startTraces(options: Options): Promise<{ close(): Promise<void> }> {
  const stop = new AbortController()
  const running = forever(options, stop.signal)
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}

async function forever(options: Options, stopping: AbortSignal): Promise<void> {
  const { log, collector } = options
  let failures = 0
  while (!stopping.aborted) {
    const why = await look(options, stopping).catch(messageOf)
    if (stopping.aborted) return
    if (why === undefined) {
      if (failures > 0) log.info('traces are taken again')
      failures = 0
    } else {
      failures += 1
      if (failures === 1)
        log.warn({ collector: collector.url, reason: why }, 'traces wait: the collector takes none')
    }
    await pause(Math.min(LONGEST_PAUSE_MS, LOOK_MS * 2 ** Math.min(failures, 10)), stopping)
  }
}

/** Why not all that is due could be told; undefined: it was. */
async function look(options: Options, stopping: AbortSignal): Promise<string | undefined> {
  const { context, fleet, collector, log } = options
  // Of several planners one tells.
  if (!context.leads()) return undefined
  for (const due of [...(await duePlans(options)), ...(await dueRollouts(options))]) {
    if (due.spans.length > 0) {
      const resource = {
        ...{ 'service.name': 'fitment-planner', 'service.version': VERSION },
        'fitment.fleet': fleet,
      }
      const taken = await send(collector, exportRequest(resource, VERSION, due.spans), stopping)
      if (taken.kind === 'later') return taken.why
      if (taken.kind === 'refused') log.warn({ reason: taken.why }, 'a trace was refused')
    }
    await events.setPlace(context.db, due.reader, due.place)
  }
  return undefined
}

async function duePlans({ context: { db }, fleet }: Options): Promise<Due[]> {
  const reader = READERS.plans
  const place = await placeOf(db, reader, () => selections.lastSelectionSeq(db))
  const due: Due[] = []
  for (const selection of await selections.selectionsAfter(db, place, MOST_AT_ONCE)) {
    const { seq, model: id, class: classId } = selection
    const model = await models.modelById(db, id)
    const spans =
      model === undefined
        ? []
        : planTrace({
            ...{ fleet, model, selection },
            since: (await traced.plannedSince(db, selection)) ?? selection.createdAt,
            builds: await traced.tracedBuilds(db, id, classId),
            probes: await probes.probesOf(db, id),
          })
    due.push({ reader, place: seq, spans })
  }
  return due
}

async function dueRollouts(options: Options): Promise<Due[]> {
  const { db } = options.context
  const reader = READERS.rollouts
  const place = await placeOf(db, reader, () => events.lastAuditSeq(db))
  const due: Due[] = []
  for (const entry of await events.auditAfter(db, place, MOST_AT_ONCE)) {
    const isEnd = entry.action.startsWith('rollout.') && ENDS.has(entry.detail.to)
    due.push({ reader, place: entry.seq, spans: isEnd ? await endOf(options, entry) : [] })
  }
  return due
}

type Entry = Awaited<ReturnType<typeof events.auditAfter>>[number]

async function endOf({ context: { db }, fleet }: Options, entry: Entry): Promise<Span[]> {
  const { subject, detail, at } = entry
  const all = await rollouts.rolloutsOf(db, subject)
  const ofClass = all.filter(({ class: id, createdAt }) => id === detail.class && createdAt <= at)
  const rollout = ofClass.find(({ updatedAt }) => updatedAt === at) ?? ofClass[0]
  if (rollout === undefined) return []
  const moves = await audit.readAudit(db, { subject, before: entry.seq + 1, limit: MOST_MOVES })
  return rolloutTrace({
    ...{ fleet, rollout, endedAt: at, state: String(detail.to) },
    model: await models.modelById(db, rollout.model),
    selection: await selections.selectionBySeq(db, rollout.selection),
    moves: moves
      .filter((one) => one.detail.class === rollout.class && one.at >= rollout.createdAt)
      .reverse(),
    members: await traced.tracedMembers(db, rollout.id, MOST_DEVICES),
    devices: await traced.countMembers(db, rollout.id),
  })
}

/** Who never read begins with what comes next. */
async function placeOf(
  db: Options['context']['db'],
  reader: string,
  last: () => Promise<number>,
): Promise<number> {
  const place = await events.placeOf(db, reader)
  if (place !== undefined) return place
  const begins = await last()
  await events.setPlace(db, reader, begins)
  return begins
}
