import { AppError } from '../../shared/errors.ts'

export type DataFolderErrorCode =
  | 'bad-preprocessing'
  | 'no-preprocessing'
  | 'no-files'
  | 'unreadable-image'
  | 'unreadable-sound'
  | 'no-image-decoder'
  | 'wrong-rate'
  | 'wrong-labels'
  | 'wrong-preprocessing'

/** Files of a folder that cannot become samples: which one, what is wrong, what to do. */
export class DataFolderError extends AppError {
  readonly code: DataFolderErrorCode

  constructor(
    code: DataFolderErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}
