import type { Constraints, Duel, Measured, ObjectiveName, Room } from './measured.ts'

/** All that a choice rests on. */
export interface SelectionInput {
  readonly candidates: readonly Measured[]
  /** Candidates that were measured in turns with each other. */
  readonly duels?: readonly Duel[]
  /** Devices of the class that measure. */
  readonly probers?: number
  readonly constraints: Constraints
  readonly objective: ObjectiveName
  readonly room: Room
  /** Key of the variant the class runs today: it stays unless something is shown to be better. */
  readonly incumbent: string | null
}
