import { BASE_SCHEMES, parseScheme } from '../../shared/schemes.ts'
import { formatRatio } from '../../shared/units.ts'
import type { Compare } from './comparison.ts'
import type { Measured } from './measured.ts'
import { isFaster } from './objective.ts'

/**
 * Integer variants that are shown to be slower than float32 in the same runtime, and by how much. They gain nothing but
 * size, so where latency is the objective they are for devices only that cannot hold the float file.
 */
export function behindFloat(
  admissible: readonly Measured[],
  compare: Compare,
): ReadonlyMap<Measured, string> {
  return new Map(
    admissible.filter(isInteger).flatMap((variant) => {
      const { runtime } = variant
      const float = admissible.find((one) => one.scheme === 'float32' && one.runtime === runtime)
      if (!float || !isFaster(compare, float, variant)) return []
      const ratio = formatRatio(compare(variant, float).p50)
      return [[variant, `${ratio} the latency of float32 on ${runtime}`] as const]
    }),
  )
}

function isInteger({ scheme }: Measured): boolean {
  return BASE_SCHEMES[parseScheme(scheme).base].weights.startsWith('int')
}
