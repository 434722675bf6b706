import t from 'tap'
import { readTflite, writeTflite } from '../../../planner/formats/tflite/index.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { toDataset } from '../../../shared/dataset/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { outputSqnr } from './compare.ts'
import {
  buildModel,
  buildTflite,
  constant,
  type ModelSpec,
  numbers,
  type OperatorSpec,
} from './model-builder.ts'

const WIDTH = 24

function fakeQuant(
  input: string,
  output: string,
  shape: readonly number[],
  max: number,
  min = -max,
) {
  const options = { type: 'FakeQuantOptions', min, max, numBits: 8, narrowRange: false }
  return { code: 'FAKE_QUANT', inputs: [input], outputs: { [output]: shape }, options }
}

function dense(input: string, weight: string, bias: string, output: string): OperatorSpec {
  return {
    code: 'FULLY_CONNECTED',
    inputs: [input, weight, bias],
    outputs: { [output]: [1, WIDTH] },
    options: {
      type: 'FullyConnectedOptions',
      weightsFormat: 'DEFAULT',
      fusedActivationFunction: 'RELU',
    },
  }
}

const narrow = (operator: OperatorSpec): OperatorSpec => ({
  ...operator,
  options: { ...operator.options, type: 'FakeQuantOptions', narrowRange: true },
})

/** As a converter writes a quantization-aware Keras model: every weight and activation behind FAKE_QUANT. */
const trained: ModelSpec = {
  inputs: { x: [1, WIDTH] },
  constants: {
    w1: constant([WIDTH, WIDTH], -0.3, 0.3, 1),
    w2: constant([WIDTH, WIDTH], -0.3, 0.3, 2),
    b1: constant([WIDTH], 0, 0.1, 3),
    b2: constant([WIDTH], 0, 0.1, 4),
  },
  operators: [
    fakeQuant('x', 'xq', [1, WIDTH], 1),
    narrow(fakeQuant('w1', 'w1q', [WIDTH, WIDTH], 0.3)),
    dense('xq', 'w1q', 'b1', 'a'),
    fakeQuant('a', 'aq', [1, WIDTH], 2, 0),
    narrow(fakeQuant('w2', 'w2q', [WIDTH, WIDTH], 0.3)),
    dense('aq', 'w2q', 'b2', 'y'),
    fakeQuant('y', 'yq', [1, WIDTH], 3, 0),
  ],
  outputs: ['yq'],
}

function dataOf(samples: number, seed: number, high = 1) {
  const data = numbers([samples, WIDTH], -high, high, seed)
  const x: Tensor = { type: 'float32', shape: [samples, WIDTH], data }
  return toDataset(new Map([['x', x]]), 'noise')
}

const model = buildTflite(trained)
const scheme = parseScheme('static-w8a8-io8')

t.test('learnt ranges take the place of calibration, and FAKE_QUANT goes', async (t) => {
  const { bytes, findings, operators } = await quantize({ model, target: 'litert', scheme })
  t.same(operators, { total: 2, integer: 2, float: 0 })
  t.same(
    findings.map(({ code, where }) => [code, where]),
    [['ranges-learnt', 'xq']],
  )
  t.match(findings[0]?.message, /5 FAKE_QUANT operators .* are removed, and their ranges used/)
  const written = readTflite(bytes)
  t.same(
    written.operatorCodes.map(({ builtinCode }) => builtinCode),
    ['FULLY_CONNECTED'],
  )
  const [graph] = written.subgraphs
  const scaleOf = (at: number | undefined) => graph?.tensors[at ?? -1]?.quantization?.scale?.[0]
  const near = (found: number | undefined, wanted: number, what: string) =>
    t.ok(Math.abs((found ?? 0) / wanted - 1) < 1e-5, `${what}: ${found}`)
  near(scaleOf(graph?.inputs[0]), 2 / 255, 'the input')
  near(scaleOf(graph?.outputs[0]), 3 / 255, 'the output')
  t.equal(graph?.tensors[graph.outputs[0] ?? -1]?.name, 'yq', 'which keeps its name')
  const codes = graph?.tensors.filter(({ type, shape }) => type === 'INT8' && shape?.[0] === WIDTH)
  t.equal(codes?.length, 2)
  for (const { quantization } of codes ?? []) {
    t.ok(quantization?.scale?.every((scale) => Math.abs(scale / (0.3 / 127) - 1) < 1e-5))
  }
  const { yq = 0 } = await outputSqnr(asTrained(), bytes, dataOf(32, 5))
  t.ok(yq > 38, `${yq} dB`)
})

/** With weights on the codes of training. LiteRT.js answers nonsense to some models with FAKE_QUANT between layers. */
function asTrained(): Uint8Array {
  const onCodes = (name: string) => {
    const data = Float32Array.from(trained.constants?.[name]?.data ?? [])
    return {
      shape: [WIDTH, WIDTH],
      data: data.map((value) => Math.round(value / (0.3 / 127)) * (0.3 / 127)),
    }
  }
  return buildTflite({
    ...trained,
    constants: { ...trained.constants, w1: onCodes('w1'), w2: onCodes('w2') },
    operators: [dense('x', 'w1', 'b1', 'a'), dense('a', 'w2', 'b2', 'yq')],
    outputs: ['yq'],
  })
}

t.test('calibration samples that say otherwise do not count', async (t) => {
  const small = { calibration: dataOf(16, 6, 0.1), options: { recovery: [] } }
  const without = await quantize({ model, target: 'litert', scheme, options: { recovery: [] } })
  const made = await quantize({ model, target: 'litert', scheme, ...small })
  t.same(made.bytes, without.bytes)
})

t.test('ranges that a converter wrote on the tensors serve alike', async (t) => {
  const stated = buildModel({
    ...trained,
    operators: [dense('x', 'w1', 'b1', 'a'), dense('a', 'w2', 'b2', 'y')],
    outputs: ['y'],
  })
  for (const tensor of stated.subgraphs[0]?.tensors ?? []) {
    if (!['x', 'a', 'y'].includes(tensor.name ?? '')) continue
    const [min, max] = tensor.name === 'x' ? [-1, 1] : [0, 3]
    tensor.quantization = {
      min: Float32Array.of(min as number),
      max: Float32Array.of(max as number),
      scale: null,
      zeroPoint: null,
      details: null,
      quantizedDimension: 0,
    }
  }
  const bytes = writeTflite(stated)
  const { findings, operators } = await quantize({ model: bytes, target: 'litert', scheme })
  t.equal(operators.integer, 2)
  t.match(findings, [{ code: 'ranges-in-source', message: /3 float tensors .* \(first: "x"\)/ }])
})

t.test('a model without ranges still needs calibration', async (t) => {
  const plain = buildTflite({
    ...trained,
    operators: [dense('x', 'w1', 'b1', 'a')],
    outputs: ['a'],
  })
  await t.rejects(quantize({ model: plain, target: 'litert', scheme }), {
    code: 'calibration-missing',
  })
})
