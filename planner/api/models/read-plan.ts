import { hasSuffix, parseScheme } from '../../../shared/schemes.ts'
import { type ConductorContext, candidateViews, variantPlanFor } from '../../conductor/index.ts'
import {
  devices as deviceRows,
  type Model,
  type Pipeline,
  pipelines,
  type StoredSelection,
  selections,
} from '../../storage/index.ts'
import type { CandidateRow, ClassPlan } from '../contract/views.ts'

type CandidateView = Awaited<ReturnType<typeof candidateViews>>[number]

/** How far a model got in every class it was planned for, with a reason for each candidate. */
export async function classPlans(
  context: ConductorContext,
  model: Model,
  only?: string,
): Promise<ClassPlan[]> {
  const all = await pipelines.pipelinesOf(context.db, model.id)
  const wanted = all.filter((pipeline) => only === undefined || pipeline.class === only)
  return Promise.all(wanted.map((pipeline) => classPlan(context, model, pipeline)))
}

/** What would be planned, without planning it. */
export async function dryPlans(
  context: ConductorContext,
  model: Model,
  only?: string,
): Promise<ClassPlan[]> {
  const classes = await deviceRows.classesInUse(context.db)
  const wanted = classes.filter((id) => only === undefined || id === only)
  return Promise.all(
    wanted.map(async (id) => {
      const { kept, dropped } = await variantPlanFor(context, model, id)
      return {
        ...EMPTY_PLAN,
        class: id,
        revision: model.revision,
        why: `${kept.length} candidates, ${dropped.length} dropped; nothing was built or sent`,
        candidates: [
          ...kept.map((c) => ({ ...EMPTY_ROW, ...c, verdict: 'pending' as const })),
          ...dropped.map((c) => ({ ...EMPTY_ROW, ...c, verdict: 'dropped' as const })),
        ],
      }
    }),
  )
}

const EMPTY_PLAN = {
  stage: 'dry-run',
  waiting: '',
  stuck: false,
  round: 0,
  winner: null,
  bestSoFar: null,
}

const EMPTY_ROW = {
  state: 'none' as const,
  digest: null,
  bytes: null,
  host: null,
  measured: null,
  findings: [],
  losses: [],
}

async function classPlan(
  context: ConductorContext,
  model: Model,
  pipeline: Pipeline,
): Promise<ClassPlan> {
  const { db } = context
  const candidates = await candidateViews(context, model, pipeline.class)
  const stored = await selections.currentSelection(db, model.id, pipeline.class)
  const chosen = stored?.round === pipeline.round ? stored : undefined
  const named = (key: string | null | undefined) => {
    const plan = candidates.find(({ variant }) => key && variant?.key === key)?.plan
    return plan ? { scheme: plan.scheme, runtime: plan.runtime } : null
  }
  return {
    class: pipeline.class,
    revision: model.revision,
    stage: pipeline.stage,
    waiting: pipeline.waiting,
    stuck: pipeline.stuck,
    round: pipeline.round,
    winner: named(chosen?.selection.winner),
    bestSoFar: named(chosen?.selection.bestSoFar),
    why: chosen?.selection.why ?? pipeline.waiting,
    candidates: candidates.map((candidate) => candidateRow(candidate, chosen)),
  }
}

/** A mixed candidate also says what it was built for. */
function reasonOf({ scheme, reason }: CandidateView['plan'], verdict: string | null): string {
  if (verdict === null) return reason
  return hasSuffix(parseScheme(scheme), 'mixed') ? `${verdict} (${reason})` : verdict
}

function candidateRow(
  { plan, variant, evaluation }: CandidateView,
  chosen: StoredSelection | undefined,
): CandidateRow {
  const judged = chosen?.selection.rows.find(({ key }) => key === variant?.key)
  const measured = chosen?.measured.find(({ key }) => key === variant?.key)
  const host = evaluation?.whole
  return {
    scheme: plan.scheme,
    runtime: plan.runtime,
    verdict: plan.kept ? (judged?.verdict ?? 'pending') : 'dropped',
    reason: reasonOf(plan, judged?.reason ?? variant?.error ?? null),
    state: plan.kept ? (variant?.state ?? 'none') : 'none',
    digest: variant?.digest ?? null,
    bytes: variant?.bytes ?? null,
    host: host
      ? {
          samples: host.samples,
          accuracy: host.accuracy,
          agreement: host.agreement,
          sqnrDb: host.sqnrDb,
          ...(host.metric && { metric: host.metric }),
        }
      : null,
    measured: measured
      ? {
          p50Ms: measured.latency.p50Ms,
          ratio: measured.latency.ratio?.p50 ?? null,
          memoryBytes: measured.memoryBytes,
          accuracy: measured.quality.accuracy,
          drop: measured.quality.drop,
          basis: measured.quality.basis,
          ...(measured.quality.metric && { metric: measured.quality.metric }),
          devices: measured.devices,
          notes: measured.notes,
        }
      : null,
    findings: [...(variant?.findings ?? [])],
    losses: [...(variant?.losses ?? [])],
  }
}
