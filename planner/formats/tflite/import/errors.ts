import { AppError } from '../../../../shared/errors.ts'

export type OnnxImportErrorCode = 'unsupported-operator' | 'unsupported-model' | 'open-shape'

/** An .onnx model that has no equivalent .tflite form here; `details` lists every operator in the way. */
export class OnnxImportError extends AppError {
  readonly code: OnnxImportErrorCode

  constructor(
    code: OnnxImportErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: { cause?: unknown },
  ) {
    super(message, details, options)
    this.code = code
  }
}

/** Why one node has no form: thrown by lowerings, gathered by the importer, which names them all at once. */
export class Refusal extends Error {}

/** @throws Refusal unless `holds` */
export function need(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new Refusal(reason)
}
