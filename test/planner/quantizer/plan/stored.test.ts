import t from 'tap'
import { constant, type ModelSpec } from '../model-builder.ts'
import { formsOf, planned } from './planned.ts'

const dense = (rows: number, columns: number): ModelSpec => ({
  inputs: { x: [1, columns] },
  constants: { w: constant([rows, columns]), b: constant([rows]) },
  operators: [
    {
      code: 'FULLY_CONNECTED',
      inputs: ['x', 'w', 'b'],
      outputs: { y: [1, rows] },
      options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
    },
  ],
  outputs: ['y'],
})

t.test('dynamic-w8: integer weights for hybrid kernels, biases as they are', async (t) => {
  const { text } = planned({ model: dense(32, 32), scheme: 'dynamic-w8' })
  t.match(text, [
    /^store "w" as int8 0\.\d+\/0 for FULLY_CONNECTED "y"\.1$/,
    /^compute .* as hybrid$/,
  ])
  const forms = { perChannelHybridFullyConnected: true }
  t.match(planned({ model: dense(32, 32), scheme: 'dynamic-w8', forms }).text[0], /int8\[32\]@0/)
})

t.test('dynamic-w8: weights too small to gain stay, and say so', async (t) => {
  const { plan } = planned({ model: dense(31, 33), scheme: 'dynamic-w8' })
  t.same(plan.instructions, [])
  t.match(plan.findings, [{ code: 'operator-left-float', message: /1023 elements, too few/ }])
})

t.test('dynamic-w8: what has no hybrid kernel everywhere goes through DEQUANTIZE', async (t) => {
  const model: ModelSpec = {
    inputs: { x: [1, 4, 4, 16] },
    constants: {
      shape: { shape: [4], data: Int32Array.of(1, 8, 8, 16) },
      w: constant([16, 3, 3, 16]),
    },
    operators: [
      {
        code: 'TRANSPOSE_CONV',
        inputs: ['shape', 'w', 'x'],
        outputs: { y: [1, 8, 8, 16] },
        options: { type: 'TransposeConvOptions', padding: 'SAME', strideW: 2, strideH: 2 },
      },
    ],
    outputs: ['y'],
  }
  t.same(planned({ model, scheme: 'dynamic-w8' }).text, [
    'store "w" as int8[16]@0 for ',
    'convert "w" int8[16]@0 → float32 for TRANSPOSE_CONV "y".1',
  ])
})

t.test('float16: constants that shrink by it, expanded once for all readers', async (t) => {
  const { text, plan } = planned({ model: dense(16, 16), scheme: 'float16' })
  t.same(formsOf(text), [
    'store "w" as float16 for ',
    'convert "w" float16 → float32 for FULLY_CONNECTED "y".1',
  ])
  t.same(plan.operators, { total: 1, integer: 0, float: 1 })
})

t.test('float16: numbers beyond its range are told', async (t) => {
  const model = dense(16, 16)
  const w = { shape: [16, 16], data: new Float32Array(256).fill(1e6) }
  const { plan } = planned({
    model: { ...model, constants: { ...model.constants, w } },
    scheme: 'float16',
  })
  t.match(plan.findings, [{ code: 'values-beyond-float16', where: 'w' }])
})

t.test('float32 changes nothing', async (t) => {
  t.same(planned({ model: dense(16, 16), scheme: 'float32' }).plan.instructions, [])
})

t.test('a scheme without a planner is refused', async (t) => {
  t.throws(() => planned({ model: dense(16, 16), scheme: 'weight-w4-b32' }), {
    code: 'unsupported-scheme',
  })
})
