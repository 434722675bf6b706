import { AppError } from '../errors.ts'

export type PackageErrorCode =
  /** No archive, or one without a manifest that can be read. */
  | 'no-package'
  /** Its files are not those that its manifest names. */
  | 'damaged-package'
  | 'package-too-large'
  /** Sound, but another one than was signed. */
  | 'other-package'

export class PackageError extends AppError {
  readonly code: PackageErrorCode

  constructor(
    code: PackageErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
