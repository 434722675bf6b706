import { AppError } from '../../shared/errors.ts'

export type HawkbitErrorCode =
  | 'hawkbit-unauthorized'
  /** There is no Management API at that address. */
  | 'hawkbit-not-there'
  /** What is asked does not go with what is there. */
  | 'hawkbit-refused'
  | 'hawkbit-busy'
  | 'hawkbit-unreachable'
  /** An answer that is not as its API describes it. */
  | 'hawkbit-answer'

export class HawkbitError extends AppError {
  readonly code: HawkbitErrorCode
  readonly status: number | undefined

  constructor(code: HawkbitErrorCode, message: string, status?: number, cause?: unknown) {
    super(message, {}, { cause })
    this.code = code
    this.status = status
  }
}
