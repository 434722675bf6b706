import { medianOf, sorted } from '../../shared/statistics/index.ts'

/** Undefined of nothing. */
export function median(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : medianOf(sorted(values))
}
