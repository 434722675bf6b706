import t from 'tap'
import { readOnnx, writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import { inspectOnnx } from '../../../../planner/formats/onnx/inspect.ts'
import { newMessage, type OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import { halvesIn } from '../../../../planner/formats/onnx/prepare/widen-halves.ts'
import { dataOf, newTensor } from '../../../../planner/formats/onnx/tensor-data.ts'
import { toHalf } from '../../../../shared/half.ts'
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

const HALF = 10

/** The same model as converters to float16 leave it: its edges too, or with Casts between them and the inside. */
function inHalves(spec: SmallOnnx, edges: 'float16' | 'float32'): OnnxModel {
  const inside = { ...spec, inputs: { x: [1, 4, 8, 8] } }
  const to = (code: number) => ({ to: ['int', code] }) as const
  const rows =
    edges === 'float16'
      ? inside.rows
      : [
          ['Cast', ['x'], ['x16'], to(HALF)] as const,
          ...inside.rows.map(
            ([type, from, into, attributes = {}]) =>
              [
                type,
                from.map((name) => (name === 'x' ? 'x16' : name)),
                into.map((name) => (name === 'y' ? 'y16' : name)),
                attributes,
              ] as const,
          ),
          ['Cast', ['y16'], ['y'], to(1)] as const,
        ]
  const model = smallOnnx({ ...inside, rows })
  const graph = model.graph
  if (graph === undefined) throw new TypeError('a model has a graph')
  graph.initializer = graph.initializer.map((tensor) =>
    newTensor(
      tensor.name,
      'float16',
      tensor.dims.map(Number),
      Uint16Array.from(dataOf(tensor) as Float32Array, toHalf),
    ),
  )
  const elemType = edges === 'float16' ? HALF : 1
  graph.output = [
    newMessage('ValueInfoProto', {
      name: 'y',
      type: { value: { case: 'tensorType', value: { elemType } } },
    }),
  ]
  for (const { type } of graph.input)
    if (type?.value.case === 'tensorType') type.value.value.elemType = elemType
  return model
}

/** What callers give and get, by the codes of the format. */
function edgesOf(bytes: Uint8Array): (number | undefined)[] {
  const { graph } = readOnnx(bytes)
  return [...(graph?.input ?? []), ...(graph?.output ?? [])].map(({ type }) =>
    type?.value.case === 'tensorType' ? type.value.value.elemType : undefined,
  )
}

t.test(
  'float16 sources are quantized as their float32 twins are, edges as they were',
  async (t) => {
    const twin = smallOnnx(IMAGES)
    for (const edges of ['float16', 'float32'] as const) {
      const source = writeOnnx(inHalves(IMAGES, edges))
      for (const { scheme, db } of [
        { scheme: 'static-w8a8', db: 25 },
        { scheme: 'dynamic-w8', db: 30 },
        { scheme: 'float16', db: 50 },
      ]) {
        const calibration = scheme === 'static-w8a8' ? images : undefined
        const { operators } = await quantizeOnnx(twin, scheme, calibration)
        const found = await quantizeOnnx(inHalves(IMAGES, edges), scheme, calibration)
        t.equal(found.operators.integer, operators.integer, `${scheme}, edges in ${edges}`)
        t.match(
          found.findings.find(({ code }) => code === 'source-half-precision'),
          { message: /4 of its|5 of its/ },
        )
        t.same(edgesOf(found.bytes), edgesOf(source))
        const reached = await sqnrOf(source, found.bytes, images)
        t.ok(reached > db, `${reached.toFixed(1)} dB`)
      }
      const given = await quantizeOnnx(inHalves(IMAGES, edges), 'float32')
      t.same(given.bytes, source)
      t.match(given.findings, [{ message: /stays as it is, and computes in float16/ }])
      const kept = await quantizeOnnx(inHalves(IMAGES, edges), 'float32', undefined, {
        sources: 'keep',
      })
      t.equal(halvesIn(readOnnx(kept.bytes)).length, 5)
    }
  },
)
