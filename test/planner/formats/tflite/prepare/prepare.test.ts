import t, { type Test } from 'tap'
import {
  readTflite,
  type TflModel,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { prepare } from '../../../../../planner/formats/tflite/prepare/prepare.ts'
import type { Preparation } from '../../../../../planner/graph/model-format.ts'
import { quantize } from '../../../../../planner/variants/quantizer.ts'
import { toDataset } from '../../../../../shared/dataset/index.ts'
import { parseScheme } from '../../../../../shared/schemes.ts'
import { realOutputs, sqnrDb } from '../../../quantizer/compare.ts'
import { buildModel, constant, numbers } from '../../../quantizer/model-builder.ts'

const dequantize: Preparation = { sources: 'dequantize', forIntegers: false }
const forIntegers: Preparation = { sources: 'dequantize', forIntegers: true }

function codes({ operatorCodes }: TflModel): string[] {
  return operatorCodes.map(({ builtinCode, version }) => `${builtinCode} ${version}`)
}

async function sameResults(t: Test, before: TflModel, after: TflModel, shape: number[]) {
  const x = { type: 'float32', shape: [3, ...shape], data: numbers([3, ...shape]) } as const
  const data = toDataset(new Map([['x', x]]), 'random numbers')
  const expected = await realOutputs(writeTflite(before), data)
  const found = await realOutputs(writeTflite(after), data)
  const db = sqnrDb(expected.get('y') ?? [], found.get('y') ?? [])
  t.ok(db > 90, `${db.toFixed(0)} dB`)
}

const pool = (filter: number, fused = 'NONE', out = [1, 1, 1, 2]) =>
  buildModel({
    inputs: { x: [1, 4, 4, 2] },
    operators: [
      {
        code: 'AVERAGE_POOL_2D',
        inputs: ['x'],
        outputs: { y: out },
        options: {
          type: 'Pool2DOptions',
          padding: 'VALID',
          strideW: filter,
          strideH: filter,
          filterWidth: filter,
          filterHeight: filter,
          fusedActivationFunction: fused,
        },
      },
    ],
    outputs: ['y'],
  })

t.test('a pool over the whole image becomes a mean, with the same results', async (t) => {
  const source = pool(4)
  const { model, findings } = prepare(source, forIntegers)
  t.same(codes(model), ['MEAN 1'])
  t.match(findings, [{ code: 'global-pool-as-mean', where: 'y' }])
  await sameResults(t, source, model, [4, 4, 2])
  t.same(codes(prepare(source, dequantize).model), ['AVERAGE_POOL_2D 1'], 'only for integers')
})

t.test('other pools stay', async (t) => {
  t.same(codes(prepare(pool(2, 'NONE', [1, 2, 2, 2]), forIntegers).model), ['AVERAGE_POOL_2D 1'])
  t.same(codes(prepare(pool(4, 'RELU'), forIntegers).model), ['AVERAGE_POOL_2D 1'])
})

/** x × w with w stored as int8, as dynamic-range models have it. */
function hybrid(): TflModel {
  const model = buildModel({
    inputs: { x: [1, 8] },
    constants: {
      w: { shape: [4, 8], data: Int8Array.from({ length: 32 }, (_, i) => (i * 37) % 100) },
    },
    operators: [
      {
        code: 'FULLY_CONNECTED',
        version: 3,
        inputs: ['x', 'w', ''],
        outputs: { y: [1, 4] },
        options: {
          type: 'FullyConnectedOptions',
          fusedActivationFunction: 'NONE',
          weightsFormat: 'DEFAULT',
          keepNumDims: false,
          asymmetricQuantizeInputs: false,
        },
      },
    ],
    outputs: ['y'],
  })
  quantizeTensor(model, 'w')
  return model
}

function quantizeTensor(model: TflModel, name: string): void {
  const tensor = model.subgraphs[0]?.tensors.find((one) => one.name === name)
  if (tensor === undefined) throw new Error(`the model has a tensor ${name}`)
  tensor.quantization = {
    min: null,
    max: null,
    scale: Float32Array.of(0.02),
    zeroPoint: BigInt64Array.of(0n),
    quantizedDimension: 0,
    details: null,
  }
}

t.test('integer weights between floats become floats again, with a finding', async (t) => {
  const source = hybrid()
  const { model, findings } = prepare(source, dequantize)
  t.same(codes(model), ['FULLY_CONNECTED 1'])
  t.same(
    model.subgraphs[0]?.tensors.map(({ type }) => type),
    ['FLOAT32', 'FLOAT32', 'FLOAT32'],
  )
  t.match(findings, [{ code: 'source-already-quantized', message: /1 constants .* turned back/ }])
})

t.test('kept sources stay as they are, and are told all the same', async (t) => {
  const source = hybrid()
  const { model, findings } = prepare(source, { sources: 'keep', forIntegers: true })
  t.equal(model, source)
  t.match(findings, [{ code: 'source-already-quantized', message: /kept as they are/ }])
})

t.test('weights behind DEQUANTIZE become constants, with the same results', async (t) => {
  for (const [data, code] of [
    [Int8Array.of(3, -5, 7, 9), 'source-already-quantized'],
    [constant([1, 4]).data, null],
  ] as const) {
    const source = buildModel({
      inputs: { x: [1, 4] },
      constants: { w: { shape: [1, 4], data } },
      operators:
        code === null
          ? [{ code: 'MUL', inputs: ['x', 'w'], outputs: { y: [1, 4] } }]
          : [
              { code: 'DEQUANTIZE', version: 2, inputs: ['w'], outputs: { v: [1, 4] } },
              { code: 'MUL', inputs: ['x', 'v'], outputs: { y: [1, 4] } },
            ],
      outputs: ['y'],
    })
    if (code !== null) quantizeTensor(source, 'w')
    const { model, findings } = prepare(source, dequantize)
    t.same(codes(model), ['MUL 1'])
    t.same(
      findings.map((finding) => finding.code),
      code === null ? [] : [code],
    )
    await sameResults(t, source, model, [4])
  }
})

t.test('halves become floats where other stored numbers stay', async (t) => {
  const spec = {
    inputs: { x: [1, 40] },
    constants: { w: constant([40, 40], -0.2, 0.2), v: constant([40, 40], -0.2, 0.2) },
    operators: [
      {
        code: 'FULLY_CONNECTED',
        inputs: ['x', 'w'],
        outputs: { a: [1, 40] },
        options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
      },
      {
        code: 'FULLY_CONNECTED',
        inputs: ['a', 'v'],
        outputs: { y: [1, 40] },
        options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
      },
    ],
    outputs: ['y'],
  }
  const float = buildModel(spec)
  const { bytes } = await quantize({
    model: writeTflite(float),
    target: 'litert',
    scheme: parseScheme('float16'),
  })
  const source = readTflite(bytes)
  t.equal(codes(source).length, 2, 'DEQUANTIZE before the products')
  const kept: Preparation = { sources: 'keep', forIntegers: false }
  t.same(codes(prepare(source, kept).model), codes(source))
  const { model, findings } = prepare(source, { ...kept, widenHalves: true })
  t.match(codes(model), [/^FULLY_CONNECTED/], 'no DEQUANTIZE any more')
  t.equal(codes(model).length, 1)
  t.match(findings, [{ code: 'source-half-precision', message: /turned back into float32/ }])
  await sameResults(t, source, model, [40])
  const dynamic = await quantize({
    model: bytes,
    target: 'litert',
    scheme: parseScheme('dynamic-w8'),
  })
  t.equal(dynamic.operators.integer, 2, 'as from the float32 model')
  const given = await quantize({ model: bytes, target: 'litert', scheme: parseScheme('float32') })
  t.same(given.bytes, bytes)
  t.match(given.findings, [{ code: 'source-half-precision', message: /kept as they are/ }])
})
