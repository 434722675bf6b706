import type { Measured } from './measured.ts'

/** What a variant costs, smaller is better: nobody wants more of any of these. */
type Costs = Readonly<Record<string, (v: Measured) => number>>

const costsWith = (latency: (v: Measured) => number): Costs => ({
  slower: latency,
  larger: (v) => v.bytes,
  'hungrier for memory': (v) => v.memoryBytes,
  'less accurate': (v) => v.quality.drop ?? -(v.quality.sqnrDb ?? 0),
})

/** In which ways `a` is worse than `b`, when it is better in none; undefined when neither dominates. */
function dominatedBy(a: Measured, b: Measured, costs: Costs): readonly string[] | undefined {
  const all = Object.entries(costs)
  const worse = all.filter(([, cost]) => cost(a) > cost(b))
  const better = all.some(([, cost]) => cost(a) < cost(b))
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

/**
 * Splits candidates into those that nothing beats in every way, and the rest with who beats them.
 * @param latency of a variant, on one scale for all
 */
export function paretoFront(
  candidates: readonly Measured[],
  latency: (v: Measured) => number,
): Front {
  const costs = costsWith(latency)
  const beaten = candidates.flatMap((variant) => {
    for (const by of candidates) {
      const worse = dominatedBy(variant, by, costs)
      if (worse) return [{ variant, by, worse }]
    }
    return []
  })
  const losers = new Set(beaten.map(({ variant }) => variant))
  return { front: candidates.filter((variant) => !losers.has(variant)), dominated: beaten }
}
