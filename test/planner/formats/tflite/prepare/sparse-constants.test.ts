import t from 'tap'
import { importTflite } from '../../../../../planner/formats/onnx/import/import-tflite.ts'
import { type TflModel, writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { prepare } from '../../../../../planner/formats/tflite/prepare/prepare.ts'
import { toDataset } from '../../../../../shared/dataset/index.ts'
import { realOutputs, sqnrDb } from '../../../quantizer/compare.ts'
import { buildModel, numbers } from '../../../quantizer/model-builder.ts'

const FORMATS = ['DENSE', 'SPARSE_CSR'] as const

/** A matrix that is stored row by row, in blocks of so many columns, those that are zero left out. */
function sparse(dense: Float32Array, rows: number, columns: number, block: number) {
  const values: number[] = []
  const [segments, indices] = [[0], [] as number[]]
  for (let row = 0; row < rows; row += 1) {
    for (let at = 0; at < columns; at += block) {
      const some = Array.from(dense.slice(row * columns + at, row * columns + at + block))
      if (some.every((one) => one === 0)) continue
      indices.push(at / block)
      values.push(...some)
    }
    segments.push(indices.length)
  }
  const blocks = block === 1 ? [] : [{ ...NONE, format: FORMATS[0], denseSize: block }]
  return {
    data: Float32Array.from(values),
    sparsity: {
      traversalOrder: block === 1 ? [0, 1] : [0, 1, 2],
      blockMap: block === 1 ? null : [1],
      dimMetadata: [
        { ...NONE, format: FORMATS[0], denseSize: rows },
        {
          format: FORMATS[1],
          denseSize: 0,
          arraySegments: { type: 'Uint8Vector' as const, values: Uint8Array.from(segments) },
          arrayIndices: { type: 'Uint8Vector' as const, values: Uint8Array.from(indices) },
        },
        ...blocks,
      ],
    },
  }
}

const NONE = { arraySegments: null, arrayIndices: null }

const [ROWS, COLUMNS] = [6, 16]

/** Most blocks of four are zero. */
const DENSE = numbers([ROWS, COLUMNS]).map((one, i) => (Math.floor(i / 4) % 3 === 0 ? one : 0))

/** y = x · wᵀ, where `w` is unpacked before. */
function model(block: number): TflModel {
  const { data, sparsity } = sparse(DENSE, ROWS, COLUMNS, block)
  const built = buildModel({
    inputs: { x: [1, COLUMNS] },
    constants: { w: { shape: [ROWS, COLUMNS], data } },
    operators: [
      { code: 'DENSIFY', inputs: ['w'], outputs: { whole: [ROWS, COLUMNS] } },
      {
        code: 'FULLY_CONNECTED',
        inputs: ['x', 'whole', ''],
        outputs: { y: [1, ROWS] },
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
  const weights = built.subgraphs[0]?.tensors.find(({ name }) => name === 'w')
  if (weights !== undefined) weights.sparsity = sparsity
  return built
}

const inIntegers = { sources: 'dequantize', forIntegers: true } as const
const x = { type: 'float32', shape: [3, COLUMNS], data: numbers([3, COLUMNS]) } as const
const data = toDataset(new Map([['x', x]]), 'random numbers')

const codes = ({ subgraphs: [main], operatorCodes }: TflModel) =>
  main?.operators.map(({ opcodeIndex }) => operatorCodes[opcodeIndex]?.builtinCode)

const nodes = (source: TflModel) =>
  importTflite(source).model.graph?.node?.map(({ opType }) => opType)

t.test('constants without their zeros become whole, and answers stay', async (t) => {
  for (const block of [1, 4]) {
    const source = model(block)
    const { model: whole, findings } = prepare(source, inIntegers)
    t.same(codes(whole), ['FULLY_CONNECTED'])
    t.match(findings, [{ code: 'sparse-unpacked', severity: 'info', where: 'w' }])
    const expected = (await realOutputs(writeTflite(source), data)).get('y') ?? []
    const found = (await realOutputs(writeTflite(whole), data)).get('y') ?? []
    t.ok(sqnrDb(expected, found) > 90, `blocks of ${block}`)
    t.same(nodes(source), nodes(whole), 'also as .onnx')
  }
})

t.test('a source that is kept as it is keeps them so', async (t) => {
  const source = model(1)
  const { model: kept, findings } = prepare(source, { sources: 'keep', forIntegers: false })
  t.same(codes(kept), ['DENSIFY', 'FULLY_CONNECTED'])
  t.same(findings, [])
})

t.test('what contradicts itself is left to the runtime', async (t) => {
  const broken = (change: (sparsity: ReturnType<typeof sparse>['sparsity']) => void) => {
    const source = model(4)
    const weights = source.subgraphs[0]?.tensors.find(({ name }) => name === 'w')
    change(weights?.sparsity as ReturnType<typeof sparse>['sparsity'])
    return codes(prepare(source, inIntegers).model)
  }
  const untouched = ['DENSIFY', 'FULLY_CONNECTED']
  t.same(
    broken(({ dimMetadata: [, columns] }) => columns?.arrayIndices?.values.fill(200)),
    untouched,
  )
  t.same(
    broken(({ dimMetadata: [, columns] }) => columns?.arraySegments?.values.fill(250, 1)),
    untouched,
  )
  t.same(
    broken(({ dimMetadata: [rows] }) => Object.assign(rows ?? {}, { denseSize: 7 })),
    untouched,
  )
  t.same(
    broken(({ traversalOrder }) => traversalOrder.fill(0)),
    untouched,
  )
  t.same(
    broken(({ dimMetadata }) => dimMetadata.pop()),
    untouched,
  )
})
