import { type Entrant, type Evidence, evidenceOf, type Prior } from '../../probing/index.ts'
import {
  acceptsNoise,
  type Model,
  type Pipeline,
  type Probe,
  probes as probeRows,
} from '../../storage/index.ts'
import type { CandidateView } from '../building/candidate-view.ts'
import { candidateViews } from '../building/candidates.ts'
import type { ConductorContext } from '../context/context.ts'
import { entrantsOf, readyOnes } from './pipeline-plan.ts'

/** All that is known of one model in one class in this round. */
export interface ClassEvidence extends Evidence {
  readonly candidates: readonly CandidateView[]
  readonly entrants: readonly Entrant[]
  /** Oldest first. */
  readonly probes: readonly Probe[]
  /** Devices with records that count. */
  readonly probers: number
  /** What was learnt from other models. */
  readonly prior: Prior
}

export async function classEvidence(
  context: ConductorContext,
  model: Model,
  { class: classId, round }: Pick<Pipeline, 'class' | 'round'>,
): Promise<ClassEvidence> {
  const { db } = context
  const probes = await probeRows.probesOf(db, model.id, { class: classId, round })
  const candidates = await candidateViews(context, model, classId)
  const ready = readyOnes(candidates, model.constraints.maxAccuracyDrop)
  const entrants = entrantsOf(ready, candidates)
  const evidence = evidenceOf(entrants, probes, await acceptsNoise(db, model.id))
  const on = evidence.measured.flatMap(({ latency }) => latency.on ?? [])
  const probers = new Set(on.map(({ device }) => device)).size
  const prior = await context.costs.prior(context, model, classId, candidates)
  return { ...evidence, candidates, entrants, probes, probers, prior }
}
