import { AppError } from '../../shared/errors.ts'

export type QuantizerErrorCode =
  | 'unsupported-format'
  | 'unsupported-scheme'
  | 'calibration-missing'
  | 'calibration-unusable'
  | 'nothing-to-quantize'
  | 'nothing-fused'
  | 'nothing-selected'
  | 'source-refused'
  | 'budget-unmeasurable'
  | 'unusable-model'
  | 'verification-failed'
  | 'no-scratch-space'
  | 'target-too-old'

/** The model, the scheme and the calibration data do not go together; the message says what to change. */
export class QuantizerError extends AppError {
  readonly code: QuantizerErrorCode

  constructor(
    code: QuantizerErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
