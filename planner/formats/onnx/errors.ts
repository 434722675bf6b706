import { AppError } from '../../../shared/errors.ts'

export type OnnxErrorCode =
  | 'not-a-model'
  | 'corrupt'
  | 'external-data-missing'
  | 'external-data-outside'
  | 'tensor-data'
  | 'too-large'
  | 'not-loadable'
  | 'unsupported-opset'
  | 'unsuitable-shape'

/** A file that cannot be read or written as ONNX: which file, where in it, and why. */
export class OnnxError extends AppError {
  readonly code: OnnxErrorCode

  constructor(
    code: OnnxErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
