import type { RatioEstimate } from '../../shared/statistics/index.ts'
import { brokenConstraints, classRatio, GAIN, type SelectionInput } from '../selection/index.ts'
import type { Entrant, Evidence } from './evidence.ts'

/** A candidate that was measured in turns with it, and is faster, smaller, and good enough. */
export interface Beaten {
  readonly by: string
  /** Of the one that is beaten, over the other. */
  readonly ratio: RatioEstimate
}

/** One device is no class: what others of it would say is that much less sure, as a share. */
const OTHER_DEVICES = 0.015

/**
 * Yardsticks that cannot win any more: a measurement beside one measures it too, so that what is shown to lose there
 * needs none of its own. The variant in use is measured in any case, for people.
 */
export function beatenYardsticks(
  entrants: readonly Entrant[],
  { measured, duels }: Pick<Evidence, 'measured' | 'duels'>,
  { constraints, objective, room, incumbent }: Omit<SelectionInput, 'candidates'>,
): ReadonlyMap<string, Beaten> {
  if (objective !== 'latency') return new Map()
  const good = measured.filter((one) => brokenConstraints(one, constraints, room).length === 0)
  return new Map(
    entrants.flatMap(({ key, yardstick, bytes }) => {
      if (key !== yardstick || key === incumbent) return []
      const [best] = good
        .filter((one) => one.key !== key && one.yardstick === key && one.bytes <= bytes)
        .flatMap((one) => {
          const met = duels.filter((duel) => duel.key === one.key && duel.rival === key)
          if (met.length === 0) return []
          const ratio = classRatio(met, OTHER_DEVICES)
          return ratio.ci95[1] <= GAIN ? [{ by: one.key, ratio }] : []
        })
        .sort((a, b) => a.ratio.p50 - b.ratio.p50)
      if (best === undefined) return []
      const { p50, ci95 } = best.ratio
      const inverse = { p50: 1 / p50, ci95: [1 / ci95[1], 1 / ci95[0]] as const }
      return [[key, { by: best.by, ratio: inverse }] as const]
    }),
  )
}
