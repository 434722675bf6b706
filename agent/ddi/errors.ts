import { AppError } from '../../shared/errors.ts'

export type DdiErrorCode =
  /** The server does not believe who asks: its token, or its name. */
  | 'hawkbit-unauthorized'
  /** What was asked for is not there, or not any more. */
  | 'hawkbit-gone'
  /** It says that it is asked too often, or is in trouble: later. */
  | 'hawkbit-busy'
  /** Nobody answers. */
  | 'hawkbit-unreachable'
  /** An answer that is not as its API describes it. */
  | 'hawkbit-answer'
  /** What it assigned was not made by the bridge. */
  | 'no-shipment'

export class DdiError extends AppError {
  readonly code: DdiErrorCode
  /** How long it asks to be left alone, ms. */
  readonly retryAfterMs: number | undefined

  constructor(code: DdiErrorCode, message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, {}, { cause })
    this.code = code
    this.retryAfterMs = retryAfterMs
  }

  /** To ask once more may help. */
  get isPassing(): boolean {
    return this.code === 'hawkbit-busy' || this.code === 'hawkbit-unreachable'
  }
}
