import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { convertModel } from '../../planner/formats/convert.ts'
import { newTensor, writeOnnx } from '../../planner/formats/onnx/index.ts'
import { type Dataset, readDataset, takeSamples, toDataset } from '../../shared/dataset/index.ts'
import { sizeOf } from '../../shared/tensors.ts'
import { encoder } from '../bench/quality/models/encoder.ts'
import { normalNumbers } from '../bench/quality/random.ts'
import { smallOnnx } from '../planner/formats/onnx/small-onnx.ts'
import { numbers } from '../planner/quantizer/model-builder.ts'
import { sharedData } from '../shared-data.ts'

/** A float model with the data that it is calibrated with, and unseen samples. */
export interface Source {
  readonly name: string
  readonly onnx: Uint8Array
  readonly tflite: Uint8Array | null
  readonly calibration: Dataset
  readonly test: Dataset
}

const DEMO = join('planner', 'demo', 'motor-faults')

/** What of it is at hand. @param most unseen samples of each */
export async function sources(most: number): Promise<Source[]> {
  const data = sharedData()
  const tiny = (name: string) => join(data ?? '', 'mlperf-tiny', name)
  const all = [
    await fromTflite(
      'motor-faults',
      join(DEMO, 'model.tflite'),
      join(DEMO, 'calibration.npz'),
      join(DEMO, 'test.npz'),
    ),
  ]
  for (const name of data === undefined ? [] : ['ic01', 'kws01']) {
    const at = [`${name}_float32.tflite`, `${name}_calibration.npz`, `${name}_test.npz`] as const
    all.push(await fromTflite(name, tiny(at[0]), tiny(at[1]), tiny(at[2])))
  }
  if (data !== undefined) all.push(await mnist(join(data, 'onnx', 'mnist.onnx')))
  return all.map((one) => ({ ...one, test: takeSamples(one.test, most) }))
}

async function fromTflite(
  name: string,
  model: string,
  calibration: string,
  test: string,
): Promise<Source> {
  const tflite = new Uint8Array(await readFile(model))
  return {
    name,
    tflite,
    onnx: (await convertModel(tflite, 'tflite', 'onnx', name)).bytes,
    calibration: await readDataset(calibration),
    test: await readDataset(test),
  }
}

/** There are no digits here: strokes of noise, bright on black. */
async function mnist(path: string): Promise<Source> {
  const images = (count: number, seed: number): Dataset => {
    const shape = [count, 1, 28, 28]
    const data = numbers(shape, 0, 1, seed).map((n) => (n > 0.8 ? 255 : 0))
    return toDataset(new Map([['x', { type: 'float32', shape, data }]]), 'strokes')
  }
  return {
    name: 'mnist.onnx',
    tflite: null,
    onnx: new Uint8Array(await readFile(path)),
    calibration: images(100, 5),
    test: images(100, 6),
  }
}

/** Every input and every weight as large as can be: two products are 2 × 127 × 255, twice what 16 bits hold. */
export function saturating(): Source {
  const [outputs, channels] = [4, 64]
  const model = smallOnnx({
    inputs: { x: [1, channels] },
    outputs: ['y'],
    rows: [['Gemm', ['x', 'w'], ['y'], { transB: ['int', 1] }]],
  })
  const ones = new Float32Array(outputs * channels).fill(1)
  model.graph?.initializer.push(newTensor('w', 'float32', [outputs, channels], ones))
  const data = Float32Array.from({ length: 8 * channels }, (_, i) => (i < channels ? 0 : 1))
  const set = toDataset(new Map([['x', { type: 'float32', shape: [8, channels], data }]]), 'ones')
  return { name: 'all full', tflite: null, onnx: writeOnnx(model), calibration: set, test: set }
}

/** A transformer encoder, generated: matrix products of activations with both signs. */
export function transformer(): Source {
  const sequences = (count: number, seed: number): Dataset => {
    const shape = [count, 64, 256]
    const data = normalNumbers(sizeOf(shape), seed)
    return toDataset(new Map([['x', { type: 'float32', shape, data }]]), 'sequences')
  }
  return {
    name: 'encoder',
    tflite: null,
    onnx: encoder(),
    calibration: sequences(16, 5),
    test: sequences(4, 6),
  }
}
