import { AppError } from '../../shared/errors.ts'

/** The link to the broker is down, or went down before the bytes had left. */
export class UnreachableError extends AppError {
  readonly code = 'unreachable'
}
