import t from 'tap'
import { bisect } from '../../../planner/conversion/bisect.ts'
import { convertProven } from '../../../planner/conversion/index.ts'
import { prove } from '../../../planner/conversion/prove.ts'
import { generatedSample } from '../../../planner/conversion/samples.ts'
import { readOnnx, writeOnnx } from '../../../planner/formats/onnx/index.ts'
import { importOnnx } from '../../../planner/formats/tflite/import/index.ts'
import type { TflModel } from '../../../planner/formats/tflite/index.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { loadRuntime } from '../../../shared/runtime/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { heldByThisHost } from '../../host-processor.ts'
import { int64s, smallOnnx } from '../formats/onnx/small-onnx.ts'
import { noise } from '../quantizer/boxes-and-scores.ts'

const ints = (...values: number[]) => ['ints', values] as const

/** Two convolutions, batch normalisation, a residual, pooling and a classifier, as exporters write them. */
const network = (batch: number | string = 1) =>
  smallOnnx({
    inputs: { image: [batch, 3, 8, 8] },
    outputs: ['scores', 'logits'],
    constants: {
      w1: [4, 3, 3, 3],
      b1: [4],
      w2: [4, 4, 3, 3],
      w3: [5, 256],
      b3: [5],
      flat: int64s(0, -1),
    },
    rows: [
      ['Conv', ['image', 'w1', 'b1'], ['c1'], { pads: ints(1, 1, 1, 1) }],
      ['Relu', ['c1'], ['r1']],
      ['Conv', ['r1', 'w2'], ['c2'], { pads: ints(1, 1, 1, 1) }],
      ['Add', ['c2', 'r1'], ['sum']],
      ['Relu', ['sum'], ['r2']],
      ['Reshape', ['r2', 'flat'], ['rows']],
      ['Gemm', ['rows', 'w3', 'b3'], ['logits'], { transB: ['int', 1] }],
      ['Softmax', ['logits'], ['scores']],
    ],
  })

const request = (model: ReturnType<typeof network>) =>
  ({
    bytes: writeOnnx(model),
    from: 'onnx',
    to: 'tflite',
    fileName: 'net.onnx',
    tolerance: 1e-4,
  }) as const

t.test(
  'a plain network has one transpose, at the edge, and activations inside its kernels',
  async (t) => {
    const { tflite, proof } = await convertProven(request(network()))
    t.match(tflite, { transposes: 1, operators: 7, openBatch: false })
    t.ok((proof.outputs[0]?.error ?? 1) < 1e-5)
    const nhwc = await convertProven({ ...request(network()), edges: 'channels-last' })
    t.match(nhwc.tflite, { transposes: 0, operators: 6 })
    const session = await (await loadRuntime('litert')).load(nhwc.bytes)
    t.match(session.inputs, [{ name: 'image', shape: [1, 8, 8, 3] }])
    await session.close()
  },
)

t.test(
  'an open batch stays open where the file answers other sizes as the source does',
  async (t) => {
    const { tflite, bytes, findings } = await convertProven(request(network('N')))
    t.match(tflite, { openBatch: true })
    t.same(findings, [])
    const session = await (await loadRuntime('litert')).load(bytes)
    const data = new Float32Array(5 * 192).fill(0.5)
    const { scores } = await session.run({ image: { type: 'float32', shape: [5, 3, 8, 8], data } })
    t.same(scores?.shape, [5, 5])
    await session.close()
  },
)

t.test('a batch that a constant fixes is closed, and said', async (t) => {
  const model = smallOnnx({
    inputs: { x: ['N', 3] },
    outputs: ['y'],
    constants: { one: int64s(1, 3) },
    rows: [
      ['Reshape', ['x', 'one'], ['flat']],
      ['Relu', ['flat'], ['y']],
    ],
  })
  const { tflite, findings } = await convertProven(request(model))
  t.match(tflite, { openBatch: false })
  t.match(findings, [{ code: 'batch-closed', message: /the batch of "x" is closed to 1/ }])
})

/** The model with the first byte of its largest constant's numbers set wrong. */
function spoilt(model: TflModel): TflModel {
  const sizes = model.buffers.map(({ data }) => data?.length ?? 0)
  const at = sizes.indexOf(Math.max(...sizes))
  const { data: right } = model.buffers[at] as TflModel['buffers'][number]
  const data = (right as Uint8Array).slice()
  new Float32Array(data.buffer).fill(9, 0, 64)
  return { ...model, buffers: model.buffers.with(at, { data }) }
}

t.test('where a model begins to differ, the operator is named', async (t) => {
  const bytes = writeOnnx(network())
  const { model, homes } = await importOnnx(bytes, 'net.onnx')
  const data = Float32Array.from({ length: 192 }, (_, i) => Math.sin(i))
  const sample = { image: { type: 'float32', shape: [1, 3, 8, 8], data } } as const
  t.equal(await bisect({ onnx: bytes, tflite: model, homes }, sample, 1e-4), null)
  const parting = await bisect({ onnx: bytes, tflite: spoilt(model), homes }, sample, 1e-4)
  t.match(parting, { operator: 'Gemm', value: 'logits' })
})

t.test('what differs is not written', async (t) => {
  await t.rejects(convertProven({ ...request(network()), tolerance: 1e-12 }), {
    code: 'outputs-differ',
    message: /does not answer as its source .*"logits" by .* of its range.*nothing is written/,
  })
})

t.test('what computes on codes does so on the same codes', async (t) => {
  for (const scheme of ['static-w8a8-s8s8', heldByThisHost('static-w8a8-u8s8')]) {
    const { bytes } = await quantize({
      model: writeOnnx(network()),
      target: 'onnxruntime',
      scheme: parseScheme(scheme),
      calibration: noise({ image: [1, 3, 8, 8] }),
    })
    const converted = await convertProven({
      ...request(network()),
      bytes,
      data: noise({ image: [1, 3, 8, 8] }, { samples: 16, seed: 2 }),
    })
    t.same(converted.findings, [], scheme)
    const { integers } = converted.tflite ?? {}
    t.ok((integers?.operators.integer ?? 0) >= 5, `${integers?.operators.integer} on integers`)
    for (const { name, sqnrDb } of integers?.proof.outputs ?? [])
      t.ok(sqnrDb > 30, `${scheme}, ${name}: ${sqnrDb} dB`)
  }
})

t.test('products that round activations while they run become products of numbers', async (t) => {
  const recurrent = smallOnnx({
    inputs: { x: [6, 1, 16] },
    outputs: ['y', 'rows'],
    constants: { w: [1, 80, 16], r: [1, 80, 20], b: [1, 160], k: [20, 8] },
    rows: [
      ['LSTM', ['x', 'w', 'r', 'b'], ['all', 'y'], { hidden_size: ['int', 20] }],
      ['MatMul', ['all', 'k'], ['rows']],
    ],
  })
  for (const [model, shapes] of [
    [network(), { image: [1, 3, 8, 8] }],
    [recurrent, { x: [6, 1, 16] }],
  ] as const) {
    const { bytes } = await quantize({
      model: writeOnnx(model),
      target: 'onnxruntime',
      scheme: parseScheme('dynamic-w8'),
    })
    const dynamic = readOnnx(bytes).graph?.node.map(({ opType }) => opType) ?? []
    t.match(dynamic.join(), /DynamicQuantize/)
    const made = await convertProven({ ...request(model), bytes })
    // Weights alone are rounded then: nearer to the float model than the source, whose noise is its own.
    const float = { format: 'onnx', bytes: writeOnnx(model) } as const
    const inputs = Object.entries(shapes).map(
      ([name, shape]) => ({ name, type: 'float32', shape }) as const,
    )
    const samples = [1, 2, 3].map((seed) => generatedSample(inputs, seed))
    const proof = await prove(float, { format: 'tflite', bytes: made.bytes }, samples)
    for (const { name, sqnrDb } of proof.outputs) t.ok(sqnrDb > 20, `${name}: ${sqnrDb} dB`)
  }
})

/** Boxes and scores of a small head, then what exporters put behind them. */
const detector = smallOnnx({
  inputs: { image: [1, 3, 8, 8] },
  outputs: ['chosen', 'features'],
  constants: {
    w: [8, 3, 3, 3],
    shape: int64s(1, -1, 4),
    turned: int64s(1, 4, -1),
    most: int64s(5),
    overlap: Float32Array.of(0.5),
    least: Float32Array.of(0.1),
    column: int64s(2),
  },
  rows: [
    ['Conv', ['image', 'w'], ['features']],
    ['Reshape', ['features', 'shape'], ['boxes']],
    ['Sigmoid', ['boxes'], ['certain']],
    ['Reshape', ['certain', 'turned'], ['scores']],
    ['NonMaxSuppression', ['boxes', 'scores', 'most', 'overlap', 'least'], ['found']],
    ['Gather', ['found', 'column'], ['which'], { axis: ['int', 1] }],
    ['Squeeze', ['which'], ['list']],
    ['Gather', ['boxes', 'list'], ['chosen'], { axis: ['int', 1] }],
  ],
})

t.test('a detector is cut before it selects boxes, where its caller wants that', async (t) => {
  const { bytes, findings, proof } = await convertProven({
    ...request(detector),
    mayEndEarlier: true,
  })
  t.match(findings, [
    {
      code: 'split-off',
      message:
        /NonMaxSuppression "[^"]+" \(at most 5, overlap 0.5, score above 0.1\d*\) and the 3 operators behind it are left out.*"boxes", "scores"/,
    },
  ])
  t.ok(proof.outputs.every(({ error }) => error < 1e-5))
  const session = await (await loadRuntime('litert')).load(bytes)
  t.same(session.outputs.map(({ name }) => name).sort(), ['boxes', 'features', 'scores'])
  await session.close()
  await t.rejects(convertProven(request(detector)), {
    code: 'unsupported-operator',
    message: /NonMaxSuppression .* fitment convert leaves it out/,
  })
})

t.test('a release that does not run an operator of the result is told which', async (t) => {
  const model = smallOnnx({
    inputs: { x: [2, 4] },
    outputs: ['y'],
    rows: [['Sign', ['x'], ['y']]],
  })
  await t.rejects(convertProven({ ...request(model), release: '2.9' }), {
    message: /--target 2.9 has no kernels for SIGN v1 \(2.11.0\)/,
  })
  const { tflite } = await convertProven({ ...request(model), release: '2.17' })
  t.match(tflite, { minRuntime: '2.11.0' })
})

t.test('a release of two parts runs what came with its first one', async (t) => {
  const gelu = smallOnnx({
    opset: 20,
    inputs: { x: [2, 4] },
    outputs: ['y'],
    rows: [['Gelu', ['x'], ['y']]],
  })
  const { tflite } = await convertProven({ ...request(gelu), release: '2.9' })
  t.match(tflite, { minRuntime: '2.9.0' })
  await t.rejects(convertProven({ ...request(gelu), release: '2.8' }), {
    message: /--target 2.8 has no kernels for GELU v\d \(2.9.0\)/,
  })
})
