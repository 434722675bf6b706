import { writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import type { OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import { onnxruntime } from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { sizeOf, type Tensor } from '../../../../shared/tensors.ts'
import { randomFrom } from './import/one-operator.ts'

/** Outputs of one run on noise, the same for models with the same inputs; open dimensions become 2. */
export async function runOnnx(
  model: OnnxModel,
  seed = 1,
): Promise<Readonly<Record<string, Tensor>>> {
  const session = await onnxruntime.load(writeOnnx(model))
  const random = randomFrom(seed)
  const inputs = session.inputs.map(({ name, shape }): [string, Tensor] => {
    const closed = shape.map((dim) => (dim < 0 ? 2 : dim))
    const data = Float32Array.from({ length: sizeOf(closed) }, () => random() * 4 - 2)
    return [name, { type: 'float32', shape: closed, data }]
  })
  const outputs = await session.run(Object.fromEntries(inputs))
  await session.close()
  return outputs
}
