import { AppError } from '../../shared/errors.ts'

export type JournalErrorCode = 'disk-full' | 'journal-failed'

export class JournalError extends AppError {
  readonly code: JournalErrorCode

  constructor(
    code: JournalErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}

export type AgentErrorCode =
  /** Another agent runs on this state directory. */
  'already-running' | 'state-dir-unusable'

export class AgentError extends AppError {
  readonly code: AgentErrorCode

  constructor(
    code: AgentErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}

export type RefusedCode =
  | 'rollback'
  | 'quarantined'
  | 'wrong-runtime'
  | 'memory-limit'
  | 'too-many-probes'
  | 'runtimes-not-accepted'

/** An order this device will not follow. What is not believed, and storage, have errors of their own. */
export class OrderRefused extends AppError {
  readonly code: RefusedCode

  constructor(code: RefusedCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message, details)
    this.code = code
  }
}
