import type { Finding } from '../../shared/findings.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'

export interface Converted {
  readonly bytes: Uint8Array
  readonly findings: readonly Finding[]
}

/**
 * The model in another format, outputs within float rounding; as it is where it has that format already. What .onnx inputs
 * leave open of the batch is one.
 * @throws ImportError, OnnxImportError, TfliteError, OnnxError
 */
export async function convertModel(
  bytes: Uint8Array,
  from: ModelFormat,
  to: ModelFormat,
  fileName: string,
): Promise<Converted> {
  if (from === to) return { bytes, findings: [] }
  return from === 'onnx' ? await asTflite(bytes, fileName) : await asOnnx(bytes, fileName)
}

// Both parsers, for those alone who convert.

async function asTflite(bytes: Uint8Array, fileName: string): Promise<Converted> {
  const [{ importOnnx }, { writeTflite }] = await Promise.all([
    import('./tflite/import/index.ts'),
    import('./tflite/index.ts'),
  ])
  const { model, findings } = await importOnnx(bytes, fileName)
  return { bytes: writeTflite(model), findings }
}

async function asOnnx(bytes: Uint8Array, fileName: string): Promise<Converted> {
  const [{ importTflite }, { writeOnnx }, { readTflite }] = await Promise.all([
    import('./onnx/import/index.ts'),
    import('./onnx/index.ts'),
    import('./tflite/index.ts'),
  ])
  const { model, findings } = importTflite(readTflite(bytes, fileName))
  return { bytes: writeOnnx(model), findings }
}
