import { brokenConstraints, GAIN, type SelectionInput } from '../selection/index.ts'
import type { CostFacts, CostModel, Forecast } from './cost-model.ts'
import type { Entrant, Evidence } from './evidence.ts'

/** What was learnt from other models, for the candidates of this one. */
export interface Prior {
  readonly costs: CostModel
  /** By key of the candidate. */
  readonly facts: ReadonlyMap<string, CostFacts>
}

/** A candidate that need not be measured, and what it would lose to. */
export interface OutForecast {
  readonly by: string
  readonly forecast: Forecast
}

export function forecastOf(
  { costs, facts }: Prior,
  key: string,
  beside: string,
): Forecast | undefined {
  const [ours, theirs] = [facts.get(key), facts.get(beside)]
  return ours && theirs ? costs.forecast(ours, theirs) : undefined
}

/**
 * Candidates that would be slower than a measured one by what matters even if the forecast were as far off as none ever
 * was. Only where latency is the objective; what the class runs is measured for people in any case, and what cannot be
 * bounded is measured too.
 */
export function outForecast(
  entrants: readonly Entrant[],
  { measured }: Pick<Evidence, 'measured'>,
  prior: Prior | undefined,
  { constraints, objective, room, incumbent }: Omit<SelectionInput, 'candidates'>,
): ReadonlyMap<string, OutForecast> {
  const found = new Map<string, OutForecast>()
  if (prior === undefined || objective !== 'latency') return found
  const good = measured.filter((one) => brokenConstraints(one, constraints, room).length === 0)
  for (const { key } of entrants) {
    if (key === incumbent || measured.some((one) => one.key === key)) continue
    for (const { key: by } of good) {
      const forecast = forecastOf(prior, key, by)
      if (forecast === undefined || forecast.low < 1 / GAIN) continue
      const known = found.get(key)
      if (!known || known.forecast.ratio < forecast.ratio) found.set(key, { by, forecast })
    }
  }
  return found
}

/** The likely fastest first: it excludes the most. What nothing is known of keeps its place before the others. */
export function likelyFirst(
  entrants: readonly Entrant[],
  prior: Prior | undefined,
): readonly Entrant[] {
  const [first] = entrants
  if (prior === undefined || first === undefined) return entrants
  const ratio = ({ key }: Entrant) =>
    key === first.key ? 1 : (forecastOf(prior, key, first.key)?.ratio ?? 0)
  return [...entrants].sort((a, b) => ratio(a) - ratio(b))
}
