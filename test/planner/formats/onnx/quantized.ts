import { writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import type { OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import type { QuantizeOptions, QuantizeResult } from '../../../../planner/quantizer/index.ts'
import { quantize } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, samplesFor, toDataset } from '../../../../shared/dataset/index.ts'
import { onnxruntime } from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { sizeOf, type Tensor } from '../../../../shared/tensors.ts'
import { randomFrom } from './import/one-operator.ts'

const SAMPLES = 16

/** Noise for every input of the shapes given, batch dimension included. */
export function noiseFor(shapes: Readonly<Record<string, readonly number[]>>, seed = 3): Dataset {
  const random = randomFrom(seed)
  const arrays = Object.entries(shapes).map(([name, [, ...rest]]): [string, Tensor] => {
    const shape = [SAMPLES, ...rest]
    const data = Float32Array.from({ length: sizeOf(shape) }, () => random() * 4 - 2)
    return [name, { type: 'float32', shape, data }]
  })
  return toDataset(new Map(arrays), 'noise')
}

export async function quantizeOnnx(
  model: OnnxModel,
  scheme: string,
  calibration?: Dataset,
  options: QuantizeOptions = {},
): Promise<QuantizeResult> {
  return await quantize({
    model: writeOnnx(model),
    target: 'onnxruntime',
    scheme: parseScheme(scheme),
    ...(calibration && { calibration }),
    options,
  })
}

/** Signal over error of the outputs, in decibels, in the real runtime. */
export async function sqnrOf(float: Uint8Array, other: Uint8Array, data: Dataset): Promise<number> {
  const expected = await outputsOf(float, data)
  const actual = await outputsOf(other, data)
  let signal = 0
  let noise = 0
  for (const [i, value] of expected.entries()) {
    signal += value ** 2
    noise += (value - (actual[i] as number)) ** 2
  }
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise)
}

async function outputsOf(bytes: Uint8Array, data: Dataset): Promise<number[]> {
  const session = await onnxruntime.load(bytes)
  const samples = samplesFor(data, session.inputs)
  const all: number[] = []
  for (let i = 0; i < samples.count; i += 1) {
    const outputs = await session.run(samples.at(i))
    for (const { name } of session.outputs) {
      for (const value of outputs[name]?.data ?? []) all.push(Number(value))
    }
  }
  await session.close()
  return all
}
