import type { Logger } from 'pino'
import { repeatedly } from '../../shared/repeatedly.ts'
import { VERSION } from '../../shared/version.ts'
import type { ConductorContext } from '../conductor/index.ts'
import {
  audit,
  events,
  models,
  probes,
  rolloutLists,
  rollouts,
  selections,
  traced,
} from '../storage/index.ts'
import { type Collector, send } from './collector.ts'
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
export function startTraces(options: Options): { close(): Promise<void> } {
  const { log, collector } = options
  return repeatedly({
    everyMs: LOOK_MS,
    longestMs: LONGEST_PAUSE_MS,
    look: (stopping) => look(options, stopping),
    failed(reason, failures) {
      if (failures > 1) return
      log.warn({ collector: collector.url, reason }, 'traces wait: the collector takes none')
    },
    mended: () => log.info('traces are taken again'),
  })
}

/** Why not all that is due could be told; undefined: it was. */
async function look(options: Options, stopping: AbortSignal): Promise<string | undefined> {
  const { context, fleet, collector, log } = options
  // Of several planners one tells.
  if (!context.leads()) return undefined
  for (const dueOf of [duePlans, dueRollouts]) {
    for await (const { reader, place, spans } of dueOf(options)) {
      if (spans.length > 0) {
        const resource = {
          ...{ 'service.name': 'fitment-planner', 'service.version': VERSION },
          'fitment.fleet': fleet,
        }
        const taken = await send(collector, exportRequest(resource, VERSION, spans), stopping)
        if (taken.kind === 'later') return taken.why
        if (taken.kind === 'refused') log.warn({ reason: taken.why }, 'a trace was refused')
      }
      await events.setPlace(context.db, reader, place)
    }
  }
  return undefined
}

/** Each is made when those before it were told. */
async function* duePlans({ context: { db }, fleet }: Options): AsyncGenerator<Due> {
  const reader = READERS.plans
  const place = await placeOf(db, reader, () => selections.lastSelectionSeq(db))
  for (const selection of await selections.selectionsAfter(db, place, MOST_AT_ONCE)) {
    const { seq, model: id, class: classId, round } = selection
    const model = await models.modelById(db, id)
    const spans =
      model === undefined
        ? []
        : planTrace({
            ...{ fleet, model, selection },
            since: (await traced.plannedSince(db, selection)) ?? selection.createdAt,
            builds: await traced.tracedBuilds(db, id, classId),
            probes: await probes.probesOf(db, id, { class: classId, round }),
          })
    yield { reader, place: seq, spans }
  }
}

/** Of the audit few entries end a rollout: the place moves past the others at once. */
async function* dueRollouts(options: Options): AsyncGenerator<Due> {
  const { db } = options.context
  const reader = READERS.rollouts
  const place = await placeOf(db, reader, () => events.lastAuditSeq(db))
  const entries = await events.auditAfter(db, place, MOST_AT_ONCE)
  for (const entry of entries) {
    const isEnd = entry.action.startsWith('rollout.') && ENDS.has(entry.detail.to)
    if (!isEnd && entry !== entries.at(-1)) continue
    yield { reader, place: entry.seq, spans: isEnd ? await endOf(options, entry) : [] }
  }
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
    devices: await rolloutLists.countMembers(db, rollout.id, {}),
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
