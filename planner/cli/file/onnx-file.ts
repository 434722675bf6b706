import { basename, dirname } from 'node:path'
import {
  fixShapes,
  hasExternalData,
  type InputShapes,
  loadExternalData,
  readOnnx,
  writeOnnx,
} from '../../formats/onnx/index.ts'

/** An .onnx file with constants that it keeps in others, and open sizes filled in. @throws OnnxError */
export async function wholeOnnx(
  path: string,
  bytes: Uint8Array,
  shapes: InputShapes | undefined,
): Promise<Uint8Array> {
  const whole = await withConstants(path, bytes)
  return shapes === undefined ? whole : fixShapes(whole, shapes, basename(path))
}

/** Whether the file is only a part of its model. @throws OnnxError */
export function keepsConstantsElsewhere(path: string, bytes: Uint8Array): boolean {
  return hasExternalData(readOnnx(bytes, basename(path)))
}

async function withConstants(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  const model = readOnnx(bytes, basename(path))
  if (!hasExternalData(model)) return bytes
  await loadExternalData(model, dirname(path))
  return writeOnnx(model)
}
