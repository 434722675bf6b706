import t from 'tap'
import { readOnnx, writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import { inspectOnnx } from '../../../../planner/formats/onnx/inspect.ts'
import { newMessage, type OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import { noiseFor, quantizeOnnx, sqnrOf } from './quantized.ts'
import { type SmallOnnx, smallOnnx } from './small-onnx.ts'

const IMAGES: SmallOnnx = {
  inputs: { x: [1, 4, 8, 8] },
  outputs: ['y'],
  constants: { v: [16, 4, 3, 3], vb: [16], w: [16, 16, 3, 3], g: [256, 10], gb: [10] },
  rows: [
    ['Conv', ['x', 'v', 'vb'], ['a'], { pads: ['ints', [1, 1, 1, 1]] }],
    ['Relu', ['a'], ['b']],
    ['Conv', ['b', 'w'], ['c'], { pads: ['ints', [1, 1, 1, 1]] }],
    ['AveragePool', ['c'], ['f'], { kernel_shape: ['ints', [2, 2]], strides: ['ints', [2, 2]] }],
    ['Flatten', ['f'], ['h']],
    ['Gemm', ['h', 'g', 'gb'], ['y']],
  ],
}
const images = noiseFor({ x: [1, 4, 8, 8] })

/** The same model by an exporter that writes the standard domain out. */
function withLongDomain(model: OnnxModel): OnnxModel {
  for (const node of model.graph?.node ?? []) node.domain = 'ai.onnx'
  const version = model.opsetImport[0]?.version ?? 0n
  return {
    ...model,
    opsetImport: [
      newMessage('OperatorSetIdProto', { domain: 'ai.onnx', version }),
      newMessage('OperatorSetIdProto', { domain: '', version }),
    ],
  }
}

t.test('the standard domain written out changes nothing', async (t) => {
  const float = smallOnnx(IMAGES)
  const written = withLongDomain(smallOnnx(IMAGES))
  t.same(
    readOnnx(writeOnnx(written)).opsetImport.map(({ domain }) => domain),
    [''],
  )
  const plain = await quantizeOnnx(float, 'static-w8a8', images)
  const { operators, bytes } = await quantizeOnnx(written, 'static-w8a8', images)
  t.same(operators, plain.operators)
  t.ok(operators.integer >= 3)
  t.ok((await sqnrOf(writeOnnx(float), bytes, images)) > 25)
  t.same(
    inspectOnnx(writeOnnx(withLongDomain(smallOnnx(IMAGES))), 'm').operators,
    inspectOnnx(writeOnnx(float), 'm').operators,
  )
  const old = withLongDomain(smallOnnx({ ...IMAGES, opset: 11 }))
  t.ok((await quantizeOnnx(old, 'static-w8a8', images)).operators.integer >= 3, 'opset 11 upgraded')
})
