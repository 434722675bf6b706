import t from 'tap'
import { readTflite, writeTflite } from '../../../planner/formats/tflite/index.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { noise } from './boxes-and-scores.ts'
import { outputSqnr } from './compare.ts'
import {
  buildModel,
  buildTflite,
  constant,
  dense,
  integers,
  type ModelSpec,
  type OperatorSpec,
} from './model-builder.ts'

const WIDTH = 24

const pair = (input: string, shape: readonly number[]): OperatorSpec[] => [
  {
    code: 'QUANTIZE',
    inputs: [input],
    outputs: { [`${input}c`]: { type: 'INT8', shape } },
  },
  { code: 'DEQUANTIZE', inputs: [`${input}c`], outputs: { [`${input}q`]: shape } },
]

/** As exporters write what was trained for quantization; one weight is said to have no dimension once it is made. */
function kept(again = false): Uint8Array {
  const spec: ModelSpec = {
    inputs: { x: [1, WIDTH] },
    constants: {
      v: constant([WIDTH, WIDTH], -0.3, 0.3),
      w: constant([WIDTH, WIDTH], -0.3, 0.3, 2),
    },
    operators: [
      ...pair('x', [1, WIDTH]),
      ...pair('v', [WIDTH, WIDTH]),
      ...pair('w', []),
      dense('xq', 'vq', 'a', WIDTH),
      ...pair('a', [1, WIDTH]),
      ...(again ? pair('aq', [1, WIDTH]) : []),
      dense(again ? 'aqq' : 'aq', 'wq', 'y', WIDTH),
    ],
    outputs: ['y'],
  }
  const model = buildModel(spec)
  const scales: Record<string, number> = {
    xc: 1 / 127,
    vc: 0.3 / 127,
    wc: 0.3 / 127,
    ac: 2 / 127,
    aqc: 2 / 127,
  }
  for (const tensor of model.subgraphs[0]?.tensors ?? []) {
    const scale = scales[tensor.name ?? '']
    if (scale === undefined) continue
    tensor.quantization = {
      min: null,
      max: null,
      scale: Float32Array.of(scale),
      zeroPoint: BigInt64Array.of(0n),
      details: null,
      quantizedDimension: 0,
    }
  }
  return writeTflite(model)
}

t.test('pairs that training left become the ranges that they say', async (t) => {
  const source = kept()
  const { bytes, findings, operators } = await quantize({
    model: source,
    target: 'litert',
    scheme: parseScheme('static-w8a8'),
    calibration: noise({ x: [1, WIDTH] }),
  })
  t.same(operators, { total: 2, integer: 2, float: 0 })
  t.match(findings, [{ code: 'ranges-learnt', message: /4 QUANTIZE operators/ }])
  const [input] = readTflite(bytes).subgraphs[0]?.tensors.filter(({ name }) => name === 'x') ?? []
  t.same(input?.shape, [1, WIDTH])
  const { y = 0 } = await outputSqnr(source, bytes, noise({ x: [1, WIDTH] }, { seed: 4 }))
  t.ok(y > 35, `${y} dB`)
})

t.test('a pair behind a pair is one range', async (t) => {
  const source = kept(true)
  const { bytes, operators } = await quantize({
    model: source,
    target: 'litert',
    scheme: parseScheme('static-w8a8'),
    calibration: noise({ x: [1, WIDTH] }),
  })
  t.same(operators, { total: 2, integer: 2, float: 0 })
  const { y = 0 } = await outputSqnr(source, bytes, noise({ x: [1, WIDTH] }, { seed: 4 }))
  t.ok(y > 35, `${y} dB`)
})

t.test('what gets its size at run time is not looked at, and stays float', async (t) => {
  const open = [-1, WIDTH]
  const source = buildTflite({
    inputs: { x: [1, WIDTH] },
    constants: {
      v: constant([WIDTH, WIDTH]),
      times: integers(3, 1),
      axes: integers(0),
      one: integers(1, 1),
    },
    operators: [
      dense('x', 'v', 'a', WIDTH),
      { code: 'MUL', inputs: ['times', 'one'], outputs: { n: { type: 'INT32', shape: [2] } } },
      { code: 'TILE', inputs: ['a', 'n'], outputs: { b: open } },
      { code: 'RELU', inputs: ['b'], outputs: { c: open } },
      {
        code: 'MEAN',
        inputs: ['c', 'axes'],
        outputs: { y: [1, WIDTH] },
        options: { type: 'ReducerOptions', keepDims: true },
      },
    ],
    outputs: ['y'],
  })
  const { bytes, operators } = await quantize({
    model: source,
    target: 'litert',
    scheme: parseScheme('static-w8a8'),
    calibration: noise({ x: [1, WIDTH] }),
  })
  t.equal(operators.integer, 1)
  const { y = 0 } = await outputSqnr(source, bytes, noise({ x: [1, WIDTH] }, { seed: 4 }))
  t.ok(y > 30, `${y} dB`)
})
