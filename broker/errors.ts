import { AppError } from '../shared/errors.ts'

export type BrokerErrorCode =
  /** No connection, or one that has not subscribed this channel. */
  | 'device-offline'
  /** The device does not take its bytes as fast as they come. */
  | 'device-busy'
  /** The port is taken, or may not be opened. */
  | 'cannot-listen'

export class BrokerError extends AppError {
  readonly code: BrokerErrorCode

  constructor(
    code: BrokerErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
