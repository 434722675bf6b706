import t from 'tap'
import { bisect } from '../../../planner/conversion/bisect.ts'
import { convertProven } from '../../../planner/conversion/index.ts'
import { writeOnnx } from '../../../planner/formats/onnx/index.ts'
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
