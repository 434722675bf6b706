import { basename } from 'node:path'
import t from 'tap'
import { draftOf } from '../../../../planner/formats/tflite/draft.ts'
import { readTflite } from '../../../../planner/formats/tflite/index.ts'
import {
  compareReleases,
  minimumRelease,
  releaseOf,
} from '../../../../planner/formats/tflite/releases.ts'
import { signatureOf } from '../../../../planner/formats/tflite/transform/signatures.ts'
import {
  type OperatorSignature,
  type TensorSignature,
  versionOf,
} from '../../../../planner/formats/tflite/versions.ts'
import { WITHOUT_SHARED_DATA } from '../../../shared-data.ts'
import { realModels } from './real-models.ts'

const tensor = (type: string, shape: readonly number[] = [1, 4, 4, 8], scales = [0.5]) =>
  ({ type, shape, scales, sparse: false }) satisfies TensorSignature
const float = tensor('FLOAT32', [1, 4, 4, 8], [])
const int8 = tensor('INT8')
const int16 = tensor('INT16')
const int32 = tensor('INT32')
const perChannel = tensor('INT8', [8, 3, 3, 8], [1, 2])

interface Row {
  readonly code: string
  readonly inputs: OperatorSignature['inputs']
  readonly output: TensorSignature
  readonly options?: OperatorSignature['options']
  readonly version: number
}

/** Vectors of LiteRT's op_version_test.cc, as far as a quantizer meets them. */
const ROWS: readonly Row[] = [
  { code: 'CONV_2D', inputs: [float, float, float], output: float, version: 1 },
  { code: 'CONV_2D', inputs: [float, int8, float], output: float, version: 2 },
  { code: 'CONV_2D', inputs: [float, perChannel, float], output: float, version: 5 },
  { code: 'CONV_2D', inputs: [int8, perChannel, int32], output: int8, version: 3 },
  {
    code: 'CONV_2D',
    inputs: [int8, tensor('INT8', [8, 3, 3, 4]), int32],
    output: int8,
    version: 6,
  },
  { code: 'CONV_2D', inputs: [int8, tensor('INT4'), int32], output: int8, version: 7 },
  { code: 'DEPTHWISE_CONV_2D', inputs: [float, perChannel, float], output: float, version: 6 },
  { code: 'DEPTHWISE_CONV_2D', inputs: [float, int8, float], output: float, version: 4 },
  { code: 'DEPTHWISE_CONV_2D', inputs: [int8, int8, int32], output: int8, version: 3 },
  {
    code: 'DEPTHWISE_CONV_2D',
    inputs: [float, float, float],
    output: float,
    options: { type: 'DepthwiseConv2DOptions', dilationWFactor: 2, dilationHFactor: 1 },
    version: 2,
  },
  { code: 'FULLY_CONNECTED', inputs: [float, float, float], output: float, version: 1 },
  { code: 'FULLY_CONNECTED', inputs: [int8, perChannel, int32], output: int8, version: 4 },
  { code: 'FULLY_CONNECTED', inputs: [int8, int8], output: int8, version: 6 },
  { code: 'FULLY_CONNECTED', inputs: [float, int8, float], output: float, version: 3 },
  { code: 'FULLY_CONNECTED', inputs: [float, perChannel, float], output: float, version: 12 },
  {
    code: 'FULLY_CONNECTED',
    inputs: [float, int8, float],
    output: float,
    options: { type: 'FullyConnectedOptions', asymmetricQuantizeInputs: true },
    version: 9,
  },
  {
    code: 'FULLY_CONNECTED',
    inputs: [int8, int8, int32],
    output: int8,
    options: { type: 'FullyConnectedOptions', keepNumDims: true },
    version: 5,
  },
  { code: 'TRANSPOSE_CONV', inputs: [int32, int8, int8], output: int8, version: 2 },
  { code: 'TRANSPOSE_CONV', inputs: [int32, int8, int8, int32], output: int8, version: 3 },
  { code: 'ADD', inputs: [int8, int8], output: int8, version: 2 },
  {
    code: 'ADD',
    inputs: [int16, int16],
    output: int16,
    options: { type: 'AddOptions', potScaleInt16: false },
    version: 3,
  },
  {
    code: 'SUB',
    inputs: [int16, int16],
    output: int16,
    options: { type: 'SubOptions', potScaleInt16: false },
    version: 5,
  },
  { code: 'MUL', inputs: [int8, int8], output: int8, version: 2 },
  { code: 'MUL', inputs: [int8, int8], output: tensor('INT8', [1], [0.1]), version: 3 },
  { code: 'DEQUANTIZE', inputs: [tensor('FLOAT16')], output: float, version: 3 },
  { code: 'DEQUANTIZE', inputs: [int8], output: float, version: 2 },
  { code: 'DEQUANTIZE', inputs: [perChannel], output: float, version: 5 },
  { code: 'QUANTIZE', inputs: [float], output: int8, version: 1 },
  { code: 'QUANTIZE', inputs: [float], output: int16, version: 2 },
  { code: 'SPLIT', inputs: [int32, int8], output: int8, version: 2 },
  { code: 'SPLIT', inputs: [int32, int16], output: int16, version: 4 },
  { code: 'TRANSPOSE', inputs: [tensor('INT8', [1, 2, 3, 4, 5]), int32], output: int8, version: 4 },
  { code: 'PAD', inputs: [tensor('INT8', [1, 2, 3, 4, 5]), int32], output: int8, version: 4 },
  { code: 'TILE', inputs: [int8, int32], output: int8, version: 3 },
  { code: 'BROADCAST_TO', inputs: [float, int32], output: float, version: 2 },
  { code: 'RESHAPE', inputs: [int8, int32], output: int8, version: 1 },
  { code: 'NO_SUCH_OPERATOR', inputs: [int8], output: int8, version: 1 },
]

t.test('a version is the lowest that has every feature in use', async (t) => {
  for (const { code, inputs, output, options = null, version } of ROWS) {
    const types = inputs.map((input) => input?.type).join(' ')
    t.equal(versionOf(code, { inputs, outputs: [output], options }), version, `${code} ${types}`)
  }
})

t.test('releases compare by number, not by letter', async (t) => {
  t.ok(compareReleases('2.9.0', '2.10.0') < 0)
  t.ok(compareReleases('2.0.0', '1.15.0') > 0)
  t.equal(compareReleases('1.5.0', '1.5.0'), 0)
  t.equal(releaseOf('FULLY_CONNECTED', 12), '2.17.0')
  t.equal(releaseOf('BROADCAST_TO', 1), null, 'a version that never shipped')
  t.equal(releaseOf('FULLY_CONNECTED', 99), null)
  t.equal(minimumRelease([]), null)
  const operators = [
    { builtinCode: 'CONV_2D', version: 3 },
    { builtinCode: 'FULLY_CONNECTED', version: 9 },
    { builtinCode: 'MY_OWN', version: 1 },
  ]
  t.equal(minimumRelease(operators), '2.3.0')
})

/** Files whose versions are known to be wrong. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'mnist_quantized.tflite': 'ai-edge-quantizer leaves versions as they were',
  'partly_quantized_mnist.tflite': 'ai-edge-quantizer leaves versions as they were',
  'kws01_float32.tflite': 'its converter had planned for a hybrid FULLY_CONNECTED',
}

const models = realModels().filter(({ name }) => !(basename(name) in EXCEPTIONS))
t.test(
  'the tables agree with the versions that converters wrote',
  { skip: models.length === 0 && WITHOUT_SHARED_DATA },
  async (t) => {
    for (const { name, bytes } of models) {
      const operators = draftOf(readTflite(bytes, name)).subgraphs.flatMap((one) => one.operators)
      t.same(
        operators.map(({ code }) => `${code.builtinCode} ${code.version}`),
        operators.map((operator) => {
          const { builtinCode } = operator.code
          return `${builtinCode} ${versionOf(builtinCode, signatureOf(operator))}`
        }),
        name,
      )
    }
  },
)

t.test(
  'and with the release that converters noted',
  { skip: models.length === 0 && WITHOUT_SHARED_DATA },
  async (t) => {
    for (const { name, bytes } of models) {
      const { operatorCodes, metadata, buffers } = readTflite(bytes, name)
      const entry = metadata.find((one) => one.name === 'min_runtime_version')
      const noted = new TextDecoder().decode(buffers[entry?.buffer ?? 0]?.data ?? undefined)
      // Converters note before they quantize: their files may need more than they say, never less.
      const needed = minimumRelease(operatorCodes) ?? ''
      t.ok(compareReleases(needed, noted.replaceAll('\0', '')) >= 0, `${name}: ${needed}`)
    }
  },
)
