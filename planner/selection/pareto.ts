import type { Measured } from './measured.ts'

/** What a variant costs, smaller is better: nobody wants more of any of these. */
const COSTS = {
  slower: (v: Measured) => v.latency.ratio?.p50 ?? v.latency.p50Ms,
  larger: (v: Measured) => v.bytes,
  'hungrier for memory': (v: Measured) => v.memoryBytes,
  'less accurate': (v: Measured) => v.quality.drop ?? -(v.quality.sqnrDb ?? 0),
} as const
type Cost = keyof typeof COSTS
const costs = Object.entries(COSTS) as [Cost, (v: Measured) => number][]

/** In which ways `a` is worse than `b`, when it is better in none; undefined when neither dominates. */
export function dominatedBy(a: Measured, b: Measured): readonly Cost[] | undefined {
  const worse = costs.filter(([, cost]) => cost(a) > cost(b))
  const better = costs.some(([, cost]) => cost(a) < cost(b))
  return worse.length > 0 && !better ? worse.map(([name]) => name) : undefined
}

export interface Front {
  readonly front: readonly Measured[]
  readonly dominated: readonly {
    readonly variant: Measured
    readonly by: Measured
    readonly worse: readonly string[]
  }[]
}

/** Splits candidates into those that nothing beats in every way, and the rest with who beats them. */
export function paretoFront(candidates: readonly Measured[]): Front {
  const beaten = candidates.flatMap((variant) => {
    for (const by of candidates) {
      const worse = dominatedBy(variant, by)
      if (worse) return [{ variant, by, worse }]
    }
    return []
  })
  const losers = new Set(beaten.map(({ variant }) => variant))
  return { front: candidates.filter((variant) => !losers.has(variant)), dominated: beaten }
}
