import t from 'tap'
import { checkOnnx, readOnnx, writeOnnx } from '../../../../planner/formats/onnx/index.ts'
import { newMessage, type OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import { dataOf, newTensor } from '../../../../planner/formats/onnx/tensor-data.ts'
import { samplesFor } from '../../../../shared/dataset/index.ts'
import { onnxruntime } from '../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { heldByThisHost } from '../../../host-processor.ts'
import { encoder } from './encoder.ts'
import { fusedOperators } from './fused-operators.ts'
import { noiseFor, quantizeOnnx, sqnrOf } from './quantized.ts'
import { type SmallOnnx, smallOnnx } from './small-onnx.ts'

const CONVOLUTIONAL: SmallOnnx = {
  inputs: { x: [1, 3, 8, 8] },
  outputs: ['y'],
  constants: { v: [16, 3, 3, 3], vb: [16], w: [16, 16, 3, 3], g: [256, 10], gb: [10] },
  rows: [
    ['Conv', ['x', 'v', 'vb'], ['a'], { pads: ['ints', [1, 1, 1, 1]] }],
    ['Relu', ['a'], ['b']],
    ['Conv', ['b', 'w'], ['c'], { pads: ['ints', [1, 1, 1, 1]] }],
    ['Add', ['b', 'c'], ['d']],
    ['Relu', ['d'], ['e']],
    ['AveragePool', ['e'], ['f'], { kernel_shape: ['ints', [2, 2]], strides: ['ints', [2, 2]] }],
    ['Flatten', ['f'], ['h']],
    ['Gemm', ['h', 'g', 'gb'], ['i']],
    ['Softmax', ['i'], ['y']],
  ],
}
const convolutional = (): OnnxModel => smallOnnx(CONVOLUTIONAL)
const images = noiseFor({ x: [1, 3, 8, 8] })
const small = { length: 8, width: 32, heads: 2, inner: 64, layers: 1 }
const words = noiseFor({ x: [1, 8, 32] })

function opsOf(bytes: Uint8Array): string[] {
  return readOnnx(bytes).graph?.node.map(({ opType }) => opType) ?? []
}

t.test('float16: halves behind Cast, half the file, nothing else', async (t) => {
  const float = writeOnnx(convolutional())
  const { bytes } = await quantizeOnnx(convolutional(), 'float16')
  t.same(checkOnnx(readOnnx(bytes)), [])
  t.equal(opsOf(bytes).filter((type) => type === 'Cast').length, 3, 'the three large constants')
  t.ok(bytes.length < 0.65 * float.length)
  t.ok((await sqnrOf(float, bytes, images)) > 55)
  t.equal(readOnnx(bytes).irVersion, 8n)
})

t.test('dynamic-w8: products become one kernel each, convolutions stay float', async (t) => {
  const model = encoder(small)
  const { bytes, operators } = await quantizeOnnx(model, heldByThisHost('dynamic-w8'))
  const { integer } = await fusedOperators(t, bytes)
  t.same(checkOnnx(readOnnx(bytes)), [])
  const fused = (integer.DynamicQuantizeMatMul ?? 0) + (integer.MatMulIntegerToFloat ?? 0)
  t.equal(fused, operators.integer)
  t.equal(fused, 6)
  t.ok((await sqnrOf(writeOnnx(model), bytes, words)) > 30)
  const gemm = await quantizeOnnx(convolutional(), heldByThisHost('dynamic-w8'))
  t.notOk(opsOf(gemm.bytes).includes('ConvInteger'))
  t.ok((await sqnrOf(writeOnnx(convolutional()), gemm.bytes, images)) > 30)
})

t.test('dynamic-w8: a Gemm that scales or transposes its operands stays in float', async (t) => {
  for (const attributes of [
    { alpha: ['float', 0.5] },
    { beta: ['float', 2] },
    { transA: ['int', 1] },
  ] as const) {
    const model = smallOnnx({
      inputs: { x: [1, 32], z: [32, 32] },
      outputs: ['y'],
      constants: { v: [32, 32], w: [32, 64], b: [64] },
      rows: [
        ['MatMul', ['x', 'v'], ['a']],
        ['Add', ['a', 'z'], ['c']],
        ['Gemm', ['c', 'w', 'b'], ['y'], attributes],
      ],
    })
    const { bytes, findings, operators } = await quantizeOnnx(model, 'dynamic-w8')
    t.equal(operators.integer, 1)
    t.match(findings, [{ message: /scales or transposes its operands/ }])
    t.ok(opsOf(bytes).includes('Gemm'))
  }
})

t.test('weight-w4-b32: int4 in blocks, kernels of their own', async (t) => {
  const model = encoder(small)
  const { bytes } = await quantizeOnnx(model, 'weight-w4-b32')
  t.same(checkOnnx(readOnnx(bytes)), [])
  t.same((await fusedOperators(t, bytes)).integer, { MatMulNBits: 6 })
  t.ok((await sqnrOf(writeOnnx(model), bytes, words)) > 18)
  const turned = smallOnnx({
    inputs: { x: [1, 40] },
    outputs: ['y'],
    constants: { w: [32, 40], b: [32] },
    rows: [['Gemm', ['x', 'w', 'b'], ['y'], { transB: ['int', 1] }]],
  })
  const rows = await quantizeOnnx(turned, 'weight-w4-b32')
  t.ok((await sqnrOf(writeOnnx(turned), rows.bytes, noiseFor({ x: [1, 40] }))) > 18, 'part blocks')
})

for (const [scheme, floor] of [
  ['static-w8a8', 30],
  ['static-w8a8-u8s8', 30],
  ['static-w8a8-s8s8', 30],
  ['static-w8a8-u8s8-rr', 30],
] as const) {
  t.test(`${scheme}: every operator an integer kernel, in the form asked for`, async (t) => {
    const { bytes, findings } = await quantizeOnnx(convolutional(), scheme, images)
    const model = readOnnx(bytes)
    t.same(checkOnnx(model), [])
    t.same(
      findings.map(({ code }) => code).filter((code) => code !== 'int16-saturation'),
      ['operator-left-float'],
      'the Softmax at the end only',
    )
    t.notOk(opsOf(bytes).includes('Relu'), 'activations are absorbed')
    const zeros = model.graph?.initializer.filter(
      ({ name, dims }) => /zero$/.test(name) && dims.length === 0,
    )
    t.same(
      [...new Set(zeros?.map(({ dataType }) => dataType))],
      [scheme.includes('s8s8') && !scheme.includes('u8s8') ? 3 : 2],
    )
    const decibels = await sqnrOf(writeOnnx(convolutional()), bytes, images)
    t.ok(decibels > floor, `${decibels.toFixed(1)} dB`)
    const codes =
      model.graph?.initializer.filter(({ dataType, dims }) => dataType === 3 && dims.length > 1) ??
      []
    const largest = Math.max(
      ...codes.flatMap(({ rawData }) => [...new Int8Array(rawData)].map(Math.abs)),
    )
    if (scheme.endsWith('-rr')) t.ok(largest > 63 && largest <= 127, 'more than 7 bits')
    else t.equal(largest, 127)
    t.equal(model.irVersion, 8n)
  })
}

t.test('-io8: callers feed and read codes', async (t) => {
  const { bytes } = await quantizeOnnx(convolutional(), 'static-w8a8-s8s8-io8', images)
  t.same(checkOnnx(readOnnx(bytes)), [])
  const session = await onnxruntime.load(bytes)
  t.same(
    [...session.inputs, ...session.outputs].map(({ name, type }) => [name, type]),
    [
      ['x', 'int8'],
      ['y', 'int8'],
    ],
  )
  await session.close()
})

t.test('-mixed: what the user keeps in float stays', async (t) => {
  const keepFloat = [{ kind: 'conv' } as const]
  const { bytes, operators } = await quantizeOnnx(convolutional(), 'static-w8a8-mixed', images, {
    keepFloat,
  })
  const { integer } = await fusedOperators(t, bytes)
  t.notOk('QLinearConv' in integer)
  t.ok(operators.integer < 6)
})

t.test('several inputs, an open batch, int64 inputs', async (t) => {
  const model = smallOnnx({
    inputs: { x: ['batch', 3, 6, 6], z: ['batch', 8, 6, 6] },
    outputs: ['y'],
    constants: { v: [8, 3, 1, 1], w: [4, 8, 3, 3] },
    rows: [
      ['Conv', ['x', 'v'], ['a']],
      ['Add', ['a', 'z'], ['b']],
      ['Conv', ['b', 'w'], ['y']],
    ],
  })
  const data = noiseFor({ x: [1, 3, 6, 6], z: [1, 8, 6, 6] })
  const { bytes } = await quantizeOnnx(model, heldByThisHost('static-w8a8'), data)
  const session = await onnxruntime.load(bytes)
  t.same(
    session.inputs.map(({ shape }) => shape[0]),
    [-1, -1],
  )
  t.equal(samplesFor(data, session.inputs).count, 16)
  await session.close()
  t.ok((await sqnrOf(writeOnnx(model), bytes, data)) > 30)
})

t.test('what cannot be quantized is refused, or left alone, in one line', async (t) => {
  const custom = smallOnnx({
    inputs: { x: [1, 4] },
    outputs: ['y'],
    rows: [['Mystery', ['x'], ['y']]],
  })
  for (const node of custom.graph?.node ?? []) node.domain = 'com.example'
  await t.rejects(quantizeOnnx(custom, 'float16'), { code: 'corrupt', message: /com\.example/ })
  const poison = smallOnnx({
    ...CONVOLUTIONAL,
    constants: {
      ...CONVOLUTIONAL.constants,
      vb: Float32Array.from({ length: 16 }, () => Number.NaN),
    },
  })
  const { findings } = await quantizeOnnx(poison, 'static-w8a8', images).catch((error: Error) => ({
    findings: [{ message: error.message }],
  }))
  t.ok(findings.some(({ message }) => /NaN/.test(message)))
  const relu = smallOnnx({ inputs: { x: [1, 4] }, outputs: ['y'], rows: [['Relu', ['x'], ['y']]] })
  await t.rejects(quantizeOnnx(relu, 'static-w8a8', noiseFor({ x: [1, 4] })), {
    code: 'nothing-to-quantize',
  })
  await t.rejects(quantizeOnnx(convolutional(), 'static-w8a16', images), {
    code: 'nothing-to-quantize',
  })
})

t.test(
  'without room for working files, the folder is named, and how to name another',
  async (t) => {
    const { TMPDIR } = process.env
    t.teardown(() => {
      if (TMPDIR === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = TMPDIR
    })
    process.env.TMPDIR = '/nowhere/at/all'
    await t.rejects(quantizeOnnx(convolutional(), 'static-w8a8', images), {
      code: 'no-scratch-space',
      message: /^\/nowhere\/at\/all has no room for working files of .*TMPDIR$/,
    })
  },
)

t.test(
  'dynamic-w8: an LSTM in both directions has a kernel of its own, a GRU expands its weights',
  async (t) => {
    const model = smallOnnx({
      inputs: { x: [10, 1, 64] },
      outputs: ['y', 'last'],
      constants: { w: [2, 256, 64], r: [2, 256, 64], b: [2, 512], u: [1, 96, 64], v: [1, 96, 32] },
      rows: [
        ['Mul', ['x', 'tenth'], ['small']],
        [
          'LSTM',
          ['small', 'w', 'r', 'b'],
          ['y', 'last'],
          { hidden_size: ['int', 64], direction: ['string', 'bidirectional'] },
        ],
        ['GRU', ['small', 'u', 'v'], ['z'], { hidden_size: ['int', 32] }],
      ],
    })
    const graph = model.graph
    for (const tensor of graph?.initializer ?? []) {
      const values = dataOf(tensor) as Float32Array
      values.forEach((value, i) => {
        values[i] = value / 8
      })
    }
    graph?.initializer.push(newTensor('tenth', 'float32', [], Float32Array.of(0.1)))
    graph?.output.push(newMessage('ValueInfoProto', { name: 'z' }))
    const float = writeOnnx(model)
    const { bytes, operators, findings } = await quantizeOnnx(model, heldByThisHost('dynamic-w8'))
    t.equal(opsOf(bytes).filter((type) => type === 'DynamicQuantizeLSTM').length, 1)
    t.equal(operators.integer, 1)
    t.match(findings, [{ message: /only an LSTM has a kernel/ }])
    t.ok(bytes.length < 0.3 * float.length, `${bytes.length} of ${float.length} bytes`)
    const reached = await sqnrOf(float, bytes, noiseFor({ x: [10, 10, 1, 64] }))
    t.ok(reached > 25, `${reached.toFixed(1)} dB`)
  },
)
