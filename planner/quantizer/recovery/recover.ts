import type { TensorStatistics } from '../calibrate/statistics.ts'
import type { Plan } from '../plan/instructions.ts'
import type { PlanRequest, Revisions } from '../plan/request.ts'
import { correctBiases } from './bias-correction.ts'

/** Ways to win accuracy back after a first plan; each replaces numbers that operators use, and nothing else. */
export const RECOVERY_METHODS = {
  'bias-correction': (plan: Plan, request: PlanRequest, statistics: readonly TensorStatistics[]) =>
    correctBiases(plan, request, meansOf(statistics)),
} as const satisfies Record<
  string,
  (plan: Plan, request: PlanRequest, statistics: readonly TensorStatistics[]) => Revisions
>

export type RecoveryMethod = keyof typeof RECOVERY_METHODS

export const RECOVERY_NAMES = Object.keys(RECOVERY_METHODS) as RecoveryMethod[]

export function meansOf(statistics: readonly TensorStatistics[]): Map<number, Float64Array> {
  return new Map(
    statistics.flatMap(({ tensor, channelMeans }) =>
      channelMeans === null ? [] : [[tensor, channelMeans]],
    ),
  )
}
