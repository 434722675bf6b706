import { NO_CHANGE, type Plan } from '../../graph/index.ts'
import { holdBudget } from '../accuracy-control/hold.ts'
import { judgedSamples, MetricEvaluator } from '../accuracy-control/metric-evaluator.ts'
import { SliceNoise } from '../accuracy-control/slice-noise.ts'
import { keepClusters } from '../compression/keep-clusters.ts'
import { QuantizerError } from '../errors.ts'
import type { Candidate } from '../recovery/candidate.ts'
import type { Held, Recovered, SourceCompressed } from './state.ts'

/** Puts operators back into float until an accuracy budget holds, where one was given. @throws QuantizerError */
export async function holdAccuracy(state: Recovered): Promise<Held> {
  const { candidate, services, source, target, pool } = state
  const { calibration, options = {}, onProgress } = source
  const { budget } = options
  if (budget === undefined) return state
  const samples = budget.test ?? calibration
  if (samples === undefined) {
    throw new QuantizerError(
      'calibration-missing',
      'an accuracy budget is held on samples: give labelled test data, or calibration samples',
    )
  }
  const float = candidate.model.perform(NO_CHANGE)
  const judged = budget.test ?? judgedSamples(samples)
  const noise = new SliceNoise(pool, calibration ?? samples, services)
  const held = await holdBudget(candidate, budget.maxDrop, {
    plan: services.plan,
    noise: (one) => noise.of(one),
    evaluator: await MetricEvaluator.start(target.runsHereIn, float, judged, budget.metric),
    write: (one) => one.model.perform(finalPlan(one, state)),
    onTrial: (done, total, what) => onProgress?.(done, total, what),
    signal: budget.signal,
  })
  return { ...state, candidate: held.candidate, budget: held.report }
}

/** A candidate's plan, with the clusters that compression made kept together. */
export function finalPlan({ plan, model }: Candidate, { compressed }: SourceCompressed): Plan {
  return compressed === null ? plan : keepClusters(plan, model, compressed)
}
