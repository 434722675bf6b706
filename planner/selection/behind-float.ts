import { NOISE } from '../../shared/measure/index.ts'
import { BASE_SCHEMES, parseScheme } from '../../shared/schemes.ts'
import { formatRatio } from '../../shared/units.ts'
import type { Measured } from './measured.ts'

/**
 * Integer variants that are slower than float32 in the same runtime, and by how much. They gain nothing but size, so where
 * latency is the objective they are for devices only that cannot hold the float file.
 */
export function behindFloat(admissible: readonly Measured[]): ReadonlyMap<Measured, string> {
  return new Map(
    admissible.filter(isInteger).flatMap((variant) => {
      const { runtime } = variant
      const float = admissible.find((one) => one.scheme === 'float32' && one.runtime === runtime)
      const ratio = float && latencyOf(variant, float)
      if (ratio === undefined || ratio <= 1 + NOISE) return []
      return [[variant, `${formatRatio(ratio)} the latency of float32 on ${runtime}`] as const]
    }),
  )
}

function isInteger({ scheme }: Measured): boolean {
  return BASE_SCHEMES[parseScheme(scheme).base].weights.startsWith('int')
}

/** By what both were measured beside, where they were. */
function latencyOf(variant: Measured, float: Measured): number {
  const [ours, theirs] = [variant.latency.ratio, float.latency.ratio]
  return ours && theirs ? ours.p50 / theirs.p50 : variant.latency.p50Ms / float.latency.p50Ms
}
