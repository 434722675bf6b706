import t from 'tap'
import { writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import type { OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import type { Attributes } from '../../../../planner/formats/onnx/prepare/graph-editor.ts'
import { newTensor } from '../../../../planner/formats/onnx/tensor-data.ts'
import { quantizeForNarrowSums } from '../../../../planner/variants/quantizer.ts'
import { type Dataset, toDataset } from '../../../../shared/dataset/index.ts'
import { parseScheme, printScheme } from '../../../../shared/schemes.ts'
import { sizeOf } from '../../../../shared/tensors.ts'
import { quantizeOnnx } from '../../formats/onnx/quantized.ts'
import { smallOnnx } from '../../formats/onnx/small-onnx.ts'

/** One convolution with weights that are all the same. */
function convolution(channels: number, kernel: readonly number[], attributes: Attributes = {}) {
  const model = smallOnnx({
    inputs: { x: [1, channels, 8, 8] },
    outputs: ['y'],
    rows: [['Conv', ['x', 'k'], ['y'], attributes]],
  })
  const weights = new Float32Array(sizeOf(kernel)).fill(0.5)
  model.graph?.initializer.push(newTensor('k', 'float32', [...kernel], weights))
  return model
}

/** Each channel reaches its own largest value, 0 to that in steps; seldom: once. */
function images(largest: readonly number[], seldom = false): Dataset {
  const channels = largest.length
  const shape = [8, channels, 8, 8]
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const most = largest[Math.floor(i / 64) % channels] ?? 0
    return seldom ? (i % 64 === 9 && i < 64 * channels ? most : 0.01) : ((i % 8) / 7) * most
  })
  return toDataset(new Map([['x', { type: 'float32', shape, data }]]), 'images')
}

async function told(
  model: ReturnType<typeof convolution>,
  data: Dataset,
  scheme = 'static-w8a8-u8s8',
): Promise<string[]> {
  const { findings } = await quantizeOnnx(model, scheme, data)
  return findings.map(({ code, message, where }) => `${code}: ${message} [${where}]`)
}

const ONE_PIXEL = [4, 2, 1, 1]

t.test('two full products pass 16 bits: 2 × 127 × 255', async (t) => {
  const [finding] = await told(convolution(2, ONE_PIXEL), images([1, 1]))
  t.match(
    finding,
    /int16-saturation: .*1 layers could .*often will in "y" 100.0 %.*-u8s8-rr.*\[y\]/,
  )
})

t.test('one alone does not, and calibration tells which channels are small', async (t) => {
  t.same(await told(convolution(2, ONE_PIXEL), images([1, 0.01])), [])
})

t.test('what hardly ever comes is not told as what often does', async (t) => {
  const [finding] = await told(convolution(2, ONE_PIXEL), images([1, 1], true))
  t.match(finding, /1 layers could saturate, most in "y" 100.0 %/)
})

t.test('weights in pairs and signed activations are not asked', async (t) => {
  const model = convolution(2, ONE_PIXEL)
  t.same(await told(model, images([1, 1]), 'static-w8a8-u8s8-rr'), [])
  t.same(await told(model, images([1, 1]), 'static-w8a8-s8s8'), [])
})

/** Held against an emulated Haswell (`npm run emulated`), where the first three saturate and the last does not. */
t.test('neighbours are those that the kernel reads one after another', async (t) => {
  const group: Attributes = { group: ['int', 2] }
  t.match(
    await told(convolution(1, [4, 1, 3, 3]), images([1])),
    ['int16-saturation: '],
    'taps of one channel',
  )
  t.match(
    await told(convolution(2, [4, 1, 3, 3], group), images([1, 1])),
    ['int16-saturation: '],
    'a group of one channel that gives several',
  )
  t.match(
    await told(convolution(3, [4, 3, 3, 3]), images([1, 0.01, 1])),
    ['int16-saturation: '],
    'the last channel of one tap and the first of the next',
  )
  t.same(await told(convolution(2, [2, 1, 3, 3], group), images([1, 1])), [], 'depthwise')
})

t.test('layers that often do stay in float where asked, the others do not', async (t) => {
  const two = smallOnnx({
    inputs: { x: [1, 2, 8, 8] },
    outputs: ['z'],
    rows: [
      ['Conv', ['x', 'k'], ['y']],
      ['Conv', ['y', 'l'], ['z']],
    ],
  })
  // Of each pair of channels that the second reads one counts: nothing is added in 16 bits.
  const apart = Float32Array.of(0.5, 0, 0.3, 0, 0, 0.5, 0, 0.2)
  two.graph?.initializer.push(
    newTensor('k', 'float32', [4, 2, 1, 1], new Float32Array(8).fill(0.5)),
    newTensor('l', 'float32', [2, 4, 1, 1], apart),
  )
  const asked = { spareSaturating: true }
  const made = await quantizeOnnx(two, 'static-w8a8-u8s8', images([1, 1]), asked)
  t.match(made.operators, { integer: 1, float: 1 })
  t.match(
    made.findings.map(({ message }) => message),
    [/Conv "y" stays in float: its sums often saturate on x86 without VNNI/],
  )
  t.equal(printScheme(made.scheme), 'static-w8a8-u8s8-mixed')
})

t.test('for such processors the nearer of two forms is written', async (t) => {
  const chosen = async (model: OnnxModel, data: Dataset) => {
    const { scheme, findings } = await quantizeForNarrowSums({
      model: writeOnnx(model),
      target: 'onnxruntime',
      scheme: parseScheme('static-w8a8-u8s8-rr'),
      calibration: data,
    })
    return { scheme: printScheme(scheme), codes: findings.map(({ code }) => code) }
  }
  const calm = convolution(2, ONE_PIXEL)
  const noise = newTensor(
    'k',
    'float32',
    ONE_PIXEL,
    Float32Array.from({ length: 8 }, (_, i) => 1 + Math.sin(i + 1) / 3),
  )
  if (calm.graph) calm.graph.initializer = [noise]
  t.same(
    await chosen(calm, images([1, 0.01])),
    { scheme: 'static-w8a8-u8s8', codes: ['narrow-sums'] },
    'where nothing saturates, 8 bits each are nearer than 8 for two',
  )
  t.same(
    await chosen(convolution(2, ONE_PIXEL), images([1, 1])),
    { scheme: 'static-w8a8-u8s8-rr', codes: [] },
    'where all does, nothing would be left on integers',
  )
})
