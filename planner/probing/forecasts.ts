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
 * Candidates that would be slower than a measured one by what matters, even if the forecast were as far off as such are.
 * What was measured in turns with that one counts as well: float16 is forecast beside float32, which int8 met. Only where
 * latency is the objective; what the class runs is measured for people in any case, and so is what cannot be bounded.
 */
export function outForecast(
  entrants: readonly Entrant[],
  { measured, duels }: Pick<Evidence, 'measured' | 'duels'>,
  prior: Prior | undefined,
  { constraints, objective, room, incumbent }: Omit<SelectionInput, 'candidates'>,
): ReadonlyMap<string, OutForecast> {
  if (prior === undefined || objective !== 'latency') return new Map()
  const good = measured.filter((one) => brokenConstraints(one, constraints, room).length === 0)
  // Through what people see it beside alone: of all that one order measured in turns some link would always be far off.
  const yardstickOf = (of: string) => entrants.find(({ key }) => key === of)?.yardstick
  const links = good.flatMap(({ key }) =>
    linksTo(key, duels).filter(({ via }) => via === key || via === yardstickOf(key)),
  )
  const open = entrants.filter(
    ({ key }) => key !== incumbent && !measured.some((one) => one.key === key),
  )
  return new Map(
    open.flatMap(({ key }) => {
      const [worst] = links
        .flatMap((link) => throughLink(key, link, prior))
        .filter(({ forecast }) => forecast.low >= 1 / GAIN)
        .sort((a, b) => b.forecast.low - a.forecast.low)
      return worst ? [[key, worst] as const] : []
    }),
  )
}

/** Whether measuring one of those may show, by the forecast, that this one need not be measured. */
export function mayLoseTo(
  { key }: Entrant,
  others: readonly Entrant[],
  prior: Prior | undefined,
  { objective, incumbent }: Pick<SelectionInput, 'objective' | 'incumbent'>,
): boolean {
  if (prior === undefined || objective !== 'latency' || key === incumbent) return false
  return others.some((one) => (forecastOf(prior, key, one.key)?.low ?? 0) >= 1 / GAIN)
}

/** How the latency of something compares with that of a measured candidate. */
interface Link {
  readonly by: string
  readonly via: string
  readonly ratio: Forecast
}

const ITSELF: Forecast = { ratio: 1, low: 1, high: 1 }

function linksTo(by: string, duels: Evidence['duels']): readonly Link[] {
  const met = duels.flatMap(({ key, rival, ratio: { p50, ci95 } }): Link[] => {
    const [low, high] = ci95
    if (rival === by) return [{ by, via: key, ratio: { ratio: p50, low, high } }]
    if (key !== by) return []
    return [{ by, via: rival, ratio: { ratio: 1 / p50, low: 1 / high, high: 1 / low } }]
  })
  return [{ by, via: by, ratio: ITSELF }, ...met]
}

function throughLink(key: string, { by, via, ratio }: Link, prior: Prior): OutForecast[] {
  const forecast = forecastOf(prior, key, via)
  if (forecast === undefined) return []
  const product = (field: keyof Forecast) => forecast[field] * ratio[field]
  return [{ by, forecast: { ratio: product('ratio'), low: product('low'), high: product('high') } }]
}

/** The likely fastest first: it excludes the most. What nothing is known of counts as the first of all, and keeps its place. */
export function likelyFirst(
  entrants: readonly Entrant[],
  prior: Prior | undefined,
): readonly Entrant[] {
  const [first] = entrants
  if (prior === undefined || first === undefined) return entrants
  const ratio = ({ key }: Entrant) =>
    key === first.key ? 1 : (forecastOf(prior, key, first.key)?.ratio ?? 1)
  return [...entrants].sort((a, b) => ratio(a) - ratio(b))
}
