import type * as Ort from 'onnxruntime-node'
import { ARRAY_OF, type ElementType, type Tensor, type TensorData } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import type { TensorInfo } from '../runtime.ts'

/** An input or output as ONNX Runtime describes it. @throws RuntimeError `not-loadable` for strings, sequences, maps */
export function tensorInfo(metadata: Ort.InferenceSession.ValueMetadata): TensorInfo {
  if (!metadata.isTensor || !(metadata.type in ARRAY_OF)) {
    const kind = metadata.isTensor ? `${metadata.type} elements` : 'a sequence or map'
    throw new RuntimeError(
      'not-loadable',
      `"${metadata.name}" holds ${kind}: use a model whose inputs and outputs are numeric tensors`,
    )
  }
  return {
    name: metadata.name,
    type: metadata.type as ElementType,
    shape: metadata.shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
  }
}

export function toOrt(ort: typeof Ort, tensor: Tensor): Ort.Tensor {
  return new ort.Tensor(tensor.type, tensor.data as never, [...tensor.shape]) as Ort.Tensor
}

/** Engines that have Float16Array get it from ONNX Runtime; ours are bit patterns. */
export function fromOrt(
  name: string,
  value: Ort.InferenceSession.OnnxValueMapType[string],
): Tensor {
  if (!(value.type in ARRAY_OF))
    throw new RuntimeError('run-failed', `output "${name}" holds ${value.type}, which is no number`)
  const type = value.type as ElementType
  const raw = value.data as unknown as TensorData
  const { buffer, byteOffset, byteLength } = raw
  const data =
    type === 'float16' && !(raw instanceof Uint16Array)
      ? new Uint16Array(buffer as ArrayBuffer, byteOffset, byteLength / 2)
      : raw
  return { type, shape: [...value.dims], data }
}
