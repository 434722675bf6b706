import type { OnnxModel } from './model.ts'

/** Of the standard operators; 1 where the file does not say (onnx.proto, opset_import). */
export function opsetOf({ opsetImport }: OnnxModel): number {
  const standard = opsetImport.find(({ domain }) => domain === '')
  return Number(standard?.version ?? 1)
}
