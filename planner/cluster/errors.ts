import { AppError } from '../../shared/errors.ts'

export type ClusterErrorCode =
  /** Another planner of the same database serves another fleet. */
  | 'other-fleet'
  /** Another planner of the same database signs with other keys. */
  | 'other-trust'
  | 'other-clock'
  /** Somebody else does by now what this was for. */
  | 'superseded'
  /** Its leases ran out, and could not be renewed. */
  | 'cut-off'

export class ClusterError extends AppError {
  readonly code: ClusterErrorCode

  constructor(
    code: ClusterErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message, details)
    this.code = code
  }
}
