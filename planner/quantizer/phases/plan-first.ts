import { linksOf } from '../../graph/index.ts'
import { calibrate, channelMeans } from '../calibrate/calibrate.ts'
import { rangesFor } from '../measure.ts'
import { openModel } from '../open.ts'
import { planScheme } from '../plan/plan.ts'
import type { PlanRequest } from '../plan/request.ts'
import type { Services } from '../recovery/candidate.ts'
import { SqnrEvaluator } from '../recovery/sqnr-evaluator.ts'
import type { EvaluatingServices, Planned, RangesMeasured, SourceCompressed } from './state.ts'

/** The first plan, and what the phases behind it need of the world to better it. */
export function planFirst(state: RangesMeasured): Planned {
  const { opened: model, measured, source } = state
  const request = planRequestOf(state)
  const plan = planScheme(source.scheme, request)
  const candidate = { model, statistics: measured.statistics, request, plan }
  return { ...state, candidate, services: servicesFor(state) }
}

export function planRequestOf({
  opened: model,
  measured: { ranges, unusable, unbounded },
  request: { options = {} },
  target,
  forms,
}: Pick<RangesMeasured, 'opened' | 'request' | 'target' | 'forms'> & {
  readonly measured: Pick<RangesMeasured['measured'], 'ranges' | 'unusable' | 'unbounded'>
}): PlanRequest {
  const { graph } = model
  const { release } = options
  return {
    graph,
    links: linksOf(graph),
    facts: target.kernels,
    ranges,
    unusable,
    unbounded,
    revisions: new Map(),
    keepFloat: options.keepFloat ?? [],
    runtimeObstacle: (operator, as) =>
      release === undefined ? null : (model.newerForm?.(operator, as, forms, release) ?? null),
    forms,
    ...(release !== undefined && { release }),
  }
}

function servicesFor({ pool, source }: SourceCompressed): EvaluatingServices {
  const { calibration, scheme, options = {} } = source
  const samples = calibration ?? options.budget?.test
  const services: Services = {
    thorough: options.recovery !== undefined,
    plan: (planRequest) => planScheme(scheme, planRequest),
    open: (bytes) => openModel({ ...source, model: bytes }),
    observe: async (model, wish) =>
      calibration === undefined
        ? []
        : (await calibrate(model, pool, calibration, () => {}, wish)).statistics,
    channelMeans: async (model, copy, wanted) =>
      calibration === undefined
        ? new Map()
        : await channelMeans(model, copy, pool, calibration, wanted),
    chooseRanges: (statistics, model) => rangesFor(statistics, model, source),
  }
  const sqnr = samples === undefined ? null : new SqnrEvaluator(pool, samples, services)
  return { ...services, sqnr }
}
