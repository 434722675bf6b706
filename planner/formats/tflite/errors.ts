import { AppError } from '../../../shared/errors.ts'

/** Why a .tflite file or model tree cannot be used. */
export const TFLITE_ERRORS = {
  'not-tflite': 'the bytes are no .tflite file at all',
  corrupt: 'a .tflite file that is damaged, truncated or contradicts itself',
  'newer-schema': 'fields, operators or enum values this program does not know',
  'external-weights': 'constants that live in another file',
  'too-large': 'the model passes a limit of the format',
  unwritable: 'the model tree holds a value the schema cannot store',
} as const

export type TfliteErrorCode = keyof typeof TFLITE_ERRORS

/** `details`: `file`, `place` (e.g. `subgraphs[0].operators[3].builtinOptions`), `reason`. */
export class TfliteError extends AppError {
  readonly code: TfliteErrorCode

  constructor(
    code: TfliteErrorCode,
    at: { file: string; place: string },
    reason: string,
    options?: { cause?: unknown },
  ) {
    const where = at.place === '' ? at.file : `${at.file}: ${at.place}`
    super(`${where}: ${reason}`, { ...at, reason }, options)
    this.code = code
  }
}
