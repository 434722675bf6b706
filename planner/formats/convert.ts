import { AppError } from '../../shared/errors.ts'
import type { Finding } from '../../shared/findings.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'

export class ConversionError extends AppError {
  readonly code = 'no-conversion'
}

export interface Converted {
  readonly bytes: Uint8Array
  readonly findings: readonly Finding[]
}

/**
 * The model in another format, outputs within float rounding; as it is where it has that format already.
 * @throws ConversionError, ImportError, TfliteError
 */
export async function convertModel(
  bytes: Uint8Array,
  from: ModelFormat,
  to: ModelFormat,
  fileName: string,
): Promise<Converted> {
  if (from === to) return { bytes, findings: [] }
  if (from === 'onnx') {
    throw new ConversionError(
      `${fileName}: an .onnx model cannot become .tflite; give the .tflite of it, or ask for .onnx`,
      { fileName },
    )
  }
  // Both parsers, for those alone who convert.
  const [{ importTflite }, { writeOnnx }, { readTflite }] = await Promise.all([
    import('./onnx/import/index.ts'),
    import('./onnx/index.ts'),
    import('./tflite/index.ts'),
  ])
  const { model, findings } = importTflite(readTflite(bytes, fileName))
  return { bytes: writeOnnx(model), findings }
}
