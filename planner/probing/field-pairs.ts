import type { Attempt } from './attempts.ts'

/**
 * Several that one order measured met each other as well as what each was asked to be beside: every such pair as a
 * measurement of its own, once.
 */
export function pairsIn(attempts: readonly Attempt[]): readonly Attempt[] {
  const byId = new Map(attempts.flatMap((one) => (one.id === undefined ? [] : [[one.id, one]])))
  return attempts.flatMap((one) =>
    (one.record?.ratios ?? []).flatMap(({ probe, ratio }): Attempt[] => {
      const other = byId.get(probe)
      if (!one.record || !other?.record || one.id === undefined || one.id > probe) return []
      if (one.rival === other.variant || other.rival === one.variant) return []
      const { p50, ci95 } = ratio
      return [
        {
          ...one,
          rival: other.variant,
          record: { ...one.record, ratioToBaseline: { p50, ci95 } },
        },
      ]
    }),
  )
}
