import { AppError } from '../../../../shared/errors.ts'

export type ImportErrorCode = 'unsupported-operator' | 'unsupported-model'

/** A .tflite model that has no equivalent ONNX form here; `details` lists every operator in the way. */
export class ImportError extends AppError {
  readonly code: ImportErrorCode

  constructor(code: ImportErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message, details)
    this.code = code
  }
}
