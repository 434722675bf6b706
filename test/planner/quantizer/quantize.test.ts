import t from 'tap'
import { readTflite } from '../../../planner/formats/tflite/index.ts'
import type { QuantizeRequest } from '../../../planner/quantizer/index.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { readDataset, toDataset } from '../../../shared/dataset/index.ts'
import { parseScheme, printScheme } from '../../../shared/schemes.ts'
import { outputSqnr } from './compare.ts'
import { buildTflite, constant, type ModelSpec, numbers } from './model-builder.ts'

const dense = (input: string, weight: string, output: string) => ({
  code: 'FULLY_CONNECTED',
  inputs: [input, weight],
  outputs: { [output]: [1, 40] },
  options: {
    type: 'FullyConnectedOptions',
    weightsFormat: 'DEFAULT',
    fusedActivationFunction: 'RELU',
  },
})

/** Two layers that share a weight, and a softmax. */
const network: ModelSpec = {
  inputs: { x: [1, 40] },
  constants: { w: constant([40, 40], -0.2, 0.2) },
  operators: [
    dense('x', 'w', 'a'),
    dense('a', 'w', 'b'),
    {
      code: 'SOFTMAX',
      inputs: ['b'],
      outputs: { y: [1, 40] },
      options: { type: 'SoftmaxOptions', beta: 1 },
    },
  ],
  outputs: ['y'],
}

function dataOf(shape: readonly number[], samples = 16, low = -1, high = 1) {
  const x = {
    type: 'float32',
    shape: [samples, ...shape],
    data: numbers([samples, ...shape], low, high),
  } as const
  return toDataset(new Map([['x', x]]), 'random numbers')
}

const model = buildTflite(network)
const calibration = dataOf([40])
const request = { model, target: 'litert', calibration } as const

t.test('every scheme gives a file that runs and is close to the float model', async (t) => {
  const cases = [
    { scheme: 'float16', leastDb: 60, share: 0.8, edges: 'FLOAT32' },
    { scheme: 'dynamic-w8', leastDb: 30, share: 0.6, edges: 'FLOAT32' },
    { scheme: 'weight-w8', leastDb: 35, share: 0.6, edges: 'FLOAT32' },
    { scheme: 'static-w8a8', leastDb: 25, share: 0.7, edges: 'FLOAT32' },
    { scheme: 'static-w8a8-io8', leastDb: 25, share: 0.7, edges: 'INT8' },
    { scheme: 'static-w8a8-iou8', leastDb: 25, share: 0.7, edges: 'UINT8' },
    { scheme: 'static-w8a8-rr-io8', leastDb: 22, share: 0.7, edges: 'INT8' },
    { scheme: 'static-w8a16', leastDb: 40, share: 0.75, edges: 'FLOAT32' },
  ]
  for (const { scheme, leastDb, share, edges } of cases) {
    const { bytes } = await quantize({ ...request, scheme: parseScheme(scheme) })
    const { y = 0 } = await outputSqnr(model, bytes, calibration)
    t.ok(y >= leastDb, `${scheme}: ${y.toFixed(1)} dB`)
    t.ok(bytes.length < share * model.length, `${scheme}: ${bytes.length} of ${model.length} bytes`)
    const [subgraph] = readTflite(bytes).subgraphs
    t.equal(subgraph?.tensors[subgraph.inputs[0] ?? -1]?.type, edges)
    t.equal(subgraph?.tensors[subgraph.outputs[0] ?? -1]?.type, edges)
    const names = [subgraph?.inputs, subgraph?.outputs].map(
      (at) => subgraph?.tensors[at?.[0] ?? -1]?.name,
    )
    t.same(names, ['x', 'y'], 'callers find inputs and outputs under their names')
  }
})

t.test('a shared weight is stored once', async (t) => {
  const { bytes } = await quantize({ ...request, scheme: parseScheme('static-w8a8') })
  const { buffers } = readTflite(bytes)
  t.equal(buffers.filter(({ data }) => data?.length === 1600).length, 1)
})

t.test('float32 is the file as given', async (t) => {
  const { bytes } = await quantize({ ...request, scheme: parseScheme('float32') })
  t.equal(bytes, model)
})

t.test('the same request gives the same bytes', async (t) => {
  const scheme = parseScheme('static-w8a8-io8')
  const [a, b] = [await quantize({ ...request, scheme }), await quantize({ ...request, scheme })]
  t.same(a.bytes, b.bytes)
})

t.test('operators left in float are named in findings and in the scheme', async (t) => {
  const { scheme, findings, operators } = await quantize({
    ...request,
    scheme: parseScheme('static-w8a8-io8'),
    options: { keepFloat: [{ kind: 'softmax' }] },
  })
  t.equal(printScheme(scheme), 'static-w8a8-io8-mixed')
  t.match(findings, [{ code: 'operator-left-float', where: 'y' }])
  t.same(operators, { total: 3, integer: 2, float: 1 })
})

t.test('progress is told while calibrating', async (t) => {
  const told: number[] = []
  await quantize({
    ...request,
    scheme: parseScheme('static-w8a8'),
    onProgress: (done, total) => told.push(done / total),
  })
  t.equal(told.at(-1), 1)
})

t.test('bad input', async (t) => {
  const scheme = parseScheme('static-w8a8')
  const cases: readonly (readonly [string, Partial<QuantizeRequest>, string])[] = [
    ['no model', { model: new TextEncoder().encode('no model at all') }, 'not-tflite'],
    ['a model cut short', { model: model.slice(0, 500) }, 'corrupt'],
    ['data of another shape', { calibration: dataOf([39]) }, 'wrong-shape'],
    ['a scheme nobody plans', { scheme: parseScheme('weight-w4-b32') }, 'unsupported-scheme'],
    ['two edges', { scheme: parseScheme('static-w8a8-io8-iou8') }, 'unsupported-scheme'],
    ['mixed, but not of what', { scheme: parseScheme('static-w8a8-mixed') }, 'unsupported-scheme'],
  ]
  for (const [name, given, code] of cases) {
    t.test(name, (t) => t.rejects(quantize({ ...request, scheme, ...given }), { code }))
  }

  t.test('data that cannot be read, with a model that can, and one that cannot', async (t) => {
    for (const given of [model, model.slice(0, 500)]) {
      const calibration = readDataset('/nowhere/at/all.npz')
      const order = { ...request, scheme, model: given, calibration }
      await t.rejects(quantize(order), { code: /^(unreadable|corrupt)$/ })
    }
  })

  t.test('no data', async (t) => {
    const { calibration: _, ...without } = request
    await t.rejects(quantize({ ...without, scheme }), {
      code: 'calibration-missing',
      message: "scheme static-w8a8 needs calibration data: give some samples of the model's inputs",
    })
  })

  t.test('a model that is integer already', async (t) => {
    const { bytes } = await quantize({ ...request, scheme: parseScheme('static-w8a8-io8') })
    await t.rejects(quantize({ ...request, model: bytes, scheme }), { code: 'nothing-to-quantize' })
  })

  t.test('a model that no runtime loads', async (t) => {
    const broken = buildTflite({
      ...network,
      operators: [{ code: 'ADD', inputs: ['x', 'w'], outputs: { y: [1, 7] } }],
      outputs: ['y'],
    })
    await t.rejects(quantize({ ...request, model: broken, scheme }), {
      code: 'calibration-unusable',
    })
  })
})

t.test(
  'activations that are no numbers leave their operators in float, and name the maker',
  async (t) => {
    const log: ModelSpec = {
      inputs: { x: [1, 8] },
      operators: [
        { code: 'LOG', inputs: ['x'], outputs: { a: [1, 8] } },
        { code: 'TANH', inputs: ['a'], outputs: { b: [1, 8] } },
        { code: 'RELU', inputs: ['x'], outputs: { c: [1, 8] } },
      ],
      outputs: ['b', 'c'],
    }
    const { findings, operators } = await quantize({
      model: buildTflite(log),
      target: 'litert',
      scheme: parseScheme('static-w8a8'),
      calibration: dataOf([8]),
    })
    t.match(findings, [
      {
        code: 'activation-not-a-number',
        severity: 'error',
        message: /"a" of LOG "a" is NaN in \d+ places/,
      },
      { code: 'activation-not-a-number', message: /"b" of TANH/ },
      {
        code: 'operator-left-float',
        message: /LOG "a" stays in float: calibration met NaN in "a"/,
      },
      { code: 'operator-left-float', message: /TANH "b"/ },
    ])
    t.same(operators, { total: 3, integer: 1, float: 2 })
  },
)

t.test('activations that were always zero are told', async (t) => {
  const { findings } = await quantize({
    ...request,
    calibration: dataOf([40], 4, 0, 0),
    scheme: parseScheme('static-w8a8'),
  })
  t.match(findings, [{ code: 'activation-always-zero', where: 'x' }])
})

t.test(
  'signatures are calibrated each by itself; one that the data does not fit stays float',
  async (t) => {
    const signature = (name: string, size: number): ModelSpec => ({
      signature: name,
      inputs: { x: [1, size] },
      operators: [{ code: 'TANH', inputs: ['x'], outputs: { y: [1, size] } }],
      outputs: ['y'],
    })
    const scheme = parseScheme('static-w8a8')
    const given = { target: 'litert', scheme, calibration: dataOf([8]) } as const
    const both = await quantize({
      ...given,
      model: buildTflite(signature('a', 8), signature('b', 8)),
    })
    t.same([both.operators.integer, both.findings], [2, []])
    const one = await quantize({
      ...given,
      model: buildTflite(signature('a', 8), signature('b', 9)),
    })
    t.equal(one.operators.integer, 1)
    t.match(one.findings, [
      { code: 'entry-not-calibrated', where: 'b' },
      { code: 'operator-left-float' },
    ])
  },
)
