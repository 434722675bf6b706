import { AppError } from '../../shared/errors.ts'

export type ProbeErrorCode =
  | 'timeout'
  | 'out-of-memory'
  | 'crashed'
  | 'cancelled'
  | 'not-loadable'
  | 'run-failed'
  | 'runtime-missing'
  | 'library-unusable'
  | 'delegate-failed'
  | 'not-accelerated'
  | 'wrong-data'
  | 'not-beside'

/** Why a variant was not measured. It is a result too: a variant that crashes a device is not shipped to it. */
export class ProbeError extends AppError {
  readonly code: ProbeErrorCode

  /** @param details `phase` it happened in, `peakMemoryBytes` where it is known */
  constructor(
    code: ProbeErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}

/** One that says something of what was probed; any other, and that it was cancelled, is thrown on. */
export function failureOf(error: unknown): ProbeError {
  if (error instanceof ProbeError && error.code !== 'cancelled') return error
  throw error
}
