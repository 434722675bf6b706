import type { Evaluation, PlannedCandidate, Variant } from '../../storage/index.ts'

/** A candidate with what became of it so far. */
export interface CandidateView {
  readonly plan: PlannedCandidate
  readonly variant: Variant | undefined
  readonly evaluation: Evaluation | undefined
}
