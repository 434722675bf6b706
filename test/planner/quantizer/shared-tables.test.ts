import t from 'tap'
import { checkOnnx, readOnnx, writeOnnx } from '../../../planner/formats/onnx/index.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { type Dataset, toDataset } from '../../../shared/dataset/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import { heldByThisHost } from '../../host-processor.ts'
import { randomFrom } from '../formats/onnx/import/one-operator.ts'
import { sqnrOf } from '../formats/onnx/quantized.ts'
import { smallOnnx } from '../formats/onnx/small-onnx.ts'
import { outputSqnr } from './compare.ts'
import { buildTflite, constant } from './model-builder.ts'

const WORDS = 300
const WIDTH = 160

function sentences(type: 'int32' | 'int64'): Dataset {
  const random = randomFrom(7)
  const ids = Array.from({ length: 24 * 6 }, () => Math.floor(random() * WORDS))
  const data = type === 'int32' ? Int32Array.from(ids) : BigInt64Array.from(ids, BigInt)
  return toDataset(new Map([['ids', { type, shape: [24, 6], data }]]), 'sentences')
}

/** A table of word vectors at both ends: looked up in, and multiplied by as it lies or turned. */
function tied(reader: 'turned' | 'as it lies') {
  const last =
    reader === 'turned'
      ? ([
          ['Transpose', ['table'], ['turned'], { perm: ['ints', [1, 0]] }],
          ['MatMul', ['state', 'turned'], ['y']],
        ] as const)
      : ([['Gemm', ['state', 'table'], ['y'], { transB: ['int', 1] }]] as const)
  const model = smallOnnx({
    inputs: { ids: [1, 6] },
    outputs: ['y'],
    constants: { table: [WORDS, WIDTH] },
    rows: [
      ['Gather', ['table', 'ids'], ['vectors']],
      ['ReduceMean', ['vectors'], ['mean'], { axes: ['ints', [1]], keepdims: ['int', 0] }],
      ['Tanh', ['mean'], ['state']],
      ...last,
    ],
  })
  const type = model.graph?.input[0]?.type?.value
  if (type?.case === 'tensorType') type.value.elemType = 7
  return writeOnnx(model)
}

t.test('.onnx: one stored table for all its readers', async (t) => {
  const calibration = sentences('int64')
  for (const reader of ['turned', 'as it lies'] as const) {
    const model = tied(reader)
    for (const { scheme, share } of [
      { scheme: 'weight-w8', share: 0.29 },
      { scheme: heldByThisHost('dynamic-w8'), share: 0.29 },
      { scheme: heldByThisHost('static-w8a8'), share: 0.3 },
      { scheme: 'float16', share: 0.52 },
    ]) {
      const request = {
        model,
        target: 'onnxruntime',
        scheme: parseScheme(scheme),
        calibration,
      } as const
      const { bytes } = await quantize(request)
      t.same(checkOnnx(readOnnx(bytes)), [])
      t.ok(
        bytes.length < share * model.length,
        `${scheme}, ${reader}: ${bytes.length} of ${model.length}`,
      )
      const reached = await sqnrOf(model, bytes, calibration)
      t.ok(reached > 28, `${scheme}, ${reader}: ${reached.toFixed(1)} dB`)
    }
  }
})

t.test('.tflite: the same', async (t) => {
  const model = buildTflite({
    inputs: { ids: { type: 'INT32', shape: [1, 6] } },
    constants: {
      table: constant([WORDS, WIDTH]),
      axis: { shape: [1], data: Int32Array.of(1) },
    },
    operators: [
      {
        code: 'GATHER',
        inputs: ['table', 'ids'],
        outputs: { vectors: [1, 6, WIDTH] },
        options: { type: 'GatherOptions', axis: 0 },
      },
      {
        code: 'MEAN',
        inputs: ['vectors', 'axis'],
        outputs: { mean: [1, WIDTH] },
        options: { type: 'ReducerOptions', keepDims: false },
      },
      {
        code: 'FULLY_CONNECTED',
        inputs: ['mean', 'table'],
        outputs: { y: [1, WORDS] },
        options: { type: 'FullyConnectedOptions', weightsFormat: 'DEFAULT' },
      },
    ],
    outputs: ['y'],
  })
  const calibration = sentences('int32')
  for (const scheme of ['weight-w8', 'dynamic-w8', 'static-w8a8']) {
    const request = { model, target: 'litert', scheme: parseScheme(scheme), calibration } as const
    const { bytes } = await quantize(request)
    t.ok(bytes.length < 0.34 * model.length, `${scheme}: ${bytes.length} of ${model.length}`)
    const { y = 0 } = await outputSqnr(model, bytes, calibration)
    t.ok(y > 28, `${scheme}: ${y.toFixed(1)} dB`)
  }
})
