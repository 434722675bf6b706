import type { ModelFormats } from '../graph/index.ts'

export { convertModel } from './convert.ts'

/** Not imported above: a program that has a model of one format loads no parser of another. */
export const MODEL_FORMATS: ModelFormats = {
  tflite: async () => (await import('./tflite/quantizable.ts')).quantizableTflite,
  onnx: async () => (await import('./onnx/quantizable.ts')).quantizableOnnx,
}
