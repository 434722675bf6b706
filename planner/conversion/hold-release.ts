import { OnnxImportError } from '../formats/tflite/import/index.ts'
import { newerThan } from '../formats/tflite/index.ts'

/** @throws OnnxImportError naming every operator that TensorFlow Lite `release` does not run */
export function holdRelease(bytes: Uint8Array, fileName: string, release: string): void {
  const newer = newerThan(bytes, fileName, release)
  if (newer.length === 0) return
  const list = newer.map(({ operator, version, release }) => `${operator} v${version} (${release})`)
  throw new OnnxImportError(
    'unsupported-operator',
    `${fileName}: --target ${release} has no kernels for ${list.join(', ')}: name a newer release, or give those devices ONNX Runtime`,
    { operators: newer },
  )
}
