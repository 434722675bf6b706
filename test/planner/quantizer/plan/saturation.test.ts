import t from 'tap'
import { type Dataset, toDataset } from '../../../../shared/dataset/index.ts'
import { quantizeOnnx } from '../../formats/onnx/quantized.ts'
import { smallOnnx } from '../../formats/onnx/small-onnx.ts'

const model = smallOnnx({
  inputs: { x: [1, 2, 8, 8] },
  outputs: ['y'],
  constants: { w: new Float32Array(8).fill(0.5) },
  rows: [
    ['Reshape', ['w', 'kernel'], ['k']],
    ['Conv', ['x', 'k'], ['y']],
  ],
})
model.graph?.initializer.push(
  ...(smallOnnx({
    inputs: {},
    outputs: [],
    constants: { kernel: BigInt64Array.of(4n, 2n, 1n, 1n) },
    rows: [],
  }).graph?.initializer ?? []),
)

/** Both channels reach the largest code, or the second stays near zero. */
function images(second: number): Dataset {
  const data = Float32Array.from({ length: 8 * 128 }, (_, i) => {
    const channel = Math.floor(i / 64) % 2
    return ((i % 8) / 7) * (channel === 0 ? 1 : second)
  })
  return toDataset(new Map([['x', { type: 'float32', shape: [8, 2, 8, 8], data }]]), 'images')
}

async function codes(scheme: string, data: Dataset): Promise<string[]> {
  const { findings } = await quantizeOnnx(model, scheme, data)
  return findings.map(({ code, message }) => `${code}: ${message}`)
}

t.test('two full products pass 16 bits: 2 × 127 × 255', async (t) => {
  const [told] = await codes('static-w8a8-u8s8', images(1))
  t.match(told, /int16-saturation: .*1 layers could saturate .*"y" 100.0 %.*use -u8s8-rr/)
})

t.test('one alone does not, and calibration tells which channels are small', async (t) => {
  t.same(await codes('static-w8a8-u8s8', images(0.01)), [])
})

t.test('7-bit weights and signed activations are not asked', async (t) => {
  t.same(await codes('static-w8a8-u8s8-rr', images(1)), [])
  t.same(await codes('static-w8a8-s8s8', images(1)), [])
})
