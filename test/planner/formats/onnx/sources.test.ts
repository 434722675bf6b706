import t from 'tap'
import { readOnnx, writeOnnx } from '../../../../planner/formats/onnx/codec.ts'
import { inspectOnnx } from '../../../../planner/formats/onnx/inspect.ts'
import { newAttribute, newMessage, type OnnxModel } from '../../../../planner/formats/onnx/model.ts'
import { inlineFunctions } from '../../../../planner/formats/onnx/prepare/inline-functions.ts'
import { halvesIn } from '../../../../planner/formats/onnx/prepare/widen-halves.ts'
import { dataOf, newTensor } from '../../../../planner/formats/onnx/tensor-data.ts'
import { toHalf } from '../../../../shared/half.ts'
import { heldByThisHost } from '../../../host-processor.ts'
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
/** Answers are judged on the kernels of this host. */
const STATIC = heldByThisHost('static-w8a8-u8s8')

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
  const plain = await quantizeOnnx(float, STATIC, images)
  const { operators, bytes } = await quantizeOnnx(written, STATIC, images)
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
        { scheme: STATIC, db: 25 },
        { scheme: 'dynamic-w8', db: 30 },
        { scheme: 'float16', db: 50 },
      ]) {
        const calibration = scheme.startsWith('static') ? images : undefined
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

/** SiLU and a linear layer as exporters of PyTorch leave them: functions of the model, one with an attribute of its own. */
function withFunctions(): { plain: OnnxModel; local: OnnxModel } {
  const spec = {
    opset: 18,
    inputs: { x: [1, 32] },
    outputs: ['y'],
    constants: { w: [64, 32], b: [64], v: [10, 64], c: [10] },
  } as const
  const silu = (x: string, y: string) =>
    [
      ['Sigmoid', [x], [`${y}/s`]],
      ['Mul', [x, `${y}/s`], [y]],
    ] as const
  const linear = (x: string, w: string, b: string, y: string) =>
    [
      ['Transpose', [w], [`${y}/t`], { perm: ['ints', [1, 0]] }],
      ['MatMul', [x, `${y}/t`], [`${y}/m`]],
      ['Add', [`${y}/m`, b], [y]],
    ] as const
  const plain = smallOnnx({
    ...spec,
    rows: [
      ...linear('x', 'w', 'b', 'h'),
      ...silu('h', 'a'),
      ...linear('a', 'v', 'c', 'z'),
      ['LeakyRelu', ['z'], ['y'], { alpha: ['float', 0.25] }],
    ],
  })
  const calls = smallOnnx({
    ...spec,
    rows: [
      ['layer', ['x', 'w', 'b'], ['a']],
      ['linear', ['a', 'v', 'c'], ['z']],
      ['leaky', ['z'], ['y'], { slope: ['float', 0.25] }],
    ],
  })
  for (const node of calls.graph?.node ?? []) node.domain = 'pkg.torch'
  const bodies = smallOnnx({
    ...spec,
    rows: [
      ...linear('X', 'W', 'B', 'Y'),
      ['linear', ['X', 'W', 'B'], ['h']],
      ['silu', ['h'], ['Y']],
      ...silu('X', 'Y'),
      ['LeakyRelu', ['X'], ['Y']],
    ],
  }).graph?.node
  if (bodies === undefined) throw new TypeError('a model has a graph')
  for (const node of bodies.slice(3, 5)) node.domain = 'pkg.torch'
  const alpha = newAttribute('alpha', 'float', 0)
  bodies[7]?.attribute.push(Object.assign(alpha, { refAttrName: 'slope' }))
  const opsetImport = [
    ...calls.opsetImport,
    newMessage('OperatorSetIdProto', { domain: 'pkg.torch', version: 1n }),
  ]
  const body = (name: string, node: typeof bodies, input: string[], attribute: string[] = []) =>
    newMessage('FunctionProto', {
      name,
      domain: 'pkg.torch',
      input,
      output: ['Y'],
      attribute,
      node,
      opsetImport,
    })
  const local: OnnxModel = {
    ...calls,
    opsetImport,
    functions: [
      body('linear', bodies.slice(0, 3), ['X', 'W', 'B']),
      body('layer', bodies.slice(3, 5), ['X', 'W', 'B']),
      body('silu', bodies.slice(5, 7), ['X']),
      body('leaky', bodies.slice(7), ['X'], ['slope']),
    ],
  }
  return { plain, local }
}

t.test('functions of the model are their bodies', async (t) => {
  const { plain, local } = withFunctions()
  const source = writeOnnx(local)
  const vectors = noiseFor({ x: [1, 32] })
  t.ok((await sqnrOf(writeOnnx(plain), source, vectors)) > 90, 'the twins are twins')
  t.same(inspectOnnx(source, 'm').operators, inspectOnnx(writeOnnx(plain), 'm').operators)
  const expected = await quantizeOnnx(plain, heldByThisHost('static-w8a8'), vectors)
  const { bytes, operators } = await quantizeOnnx(local, heldByThisHost('static-w8a8'), vectors)
  t.same(operators, expected.operators)
  t.same(readOnnx(bytes).functions, [])
  const reached = await sqnrOf(source, bytes, vectors)
  t.ok(reached > 28, `${reached.toFixed(1)} dB`)
})

t.test('functions that double without end stay functions', async (t) => {
  const { local } = withFunctions()
  const [linear] = local.functions
  const twice = (name: string, next: string) =>
    newMessage('FunctionProto', {
      name,
      domain: 'pkg.torch',
      input: ['X'],
      output: ['Y'],
      node: [
        newMessage('NodeProto', { opType: next, domain: 'pkg.torch', input: ['X'], output: ['h'] }),
        newMessage('NodeProto', { opType: next, domain: 'pkg.torch', input: ['h'], output: ['Y'] }),
      ],
      opsetImport: local.opsetImport,
    })
  local.functions = Array.from({ length: 60 }, (_, i) => twice(`f${i}`, `f${i + 1}`))
  for (const node of local.graph?.node ?? []) node.opType = 'f0'
  t.ok(linear)
  const model = readOnnx(writeOnnx(local))
  inlineFunctions(model)
  t.ok((model.graph?.node.length ?? 0) < 300_000)
  t.equal(model.functions.length, 60)
})
