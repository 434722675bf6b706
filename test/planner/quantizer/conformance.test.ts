import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkTflite, readTflite } from '../../../planner/formats/tflite/index.ts'
import { quantizableTflite } from '../../../planner/formats/tflite/quantizable.ts'
import { quantize } from '../../../planner/variants/quantizer.ts'
import { type Dataset, toDataset } from '../../../shared/dataset/index.ts'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import { parseScheme } from '../../../shared/schemes.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../shared-data.ts'
import { outputSqnr } from './compare.ts'
import { numbers } from './model-builder.ts'

const CALIBRATION_SAMPLES = 16
const TEST_SAMPLES = 8

/** What each model needs beyond random numbers, and what must be told of it. */
const EXPECTED: Readonly<
  Record<string, { readonly codes?: readonly string[]; readonly leastDb?: number }>
> = {
  // Squares, their mean, its inverse root, and products of these: noise adds up.
  'duplicated_tensor_names.tflite': { leastDb: 30, codes: ['duplicate-names', 'slice-died'] },
  'branching_conv_fc.tflite': { codes: ['larger-than-source'] },
  // Heads stay in float where the edges are float.
  'conv_fc_mnist.tflite': { leastDb: 28, codes: ['operator-left-float', 'level-uncertain'] },
  'single_fc_bias_logistic.tflite': { codes: ['operator-left-float'] },
  'mnist_quantized.tflite': {
    leastDb: 28,
    codes: ['source-already-quantized', 'operator-left-float', 'larger-than-source'],
  },
  'partly_quantized_mnist.tflite': {
    leastDb: 25,
    codes: [
      'source-already-quantized',
      'source-already-quantized',
      'operator-left-float',
      'larger-than-source',
    ],
  },
  'padv2_inf_max_pool_2d.tflite': { codes: ['values-ignored'] },
  'weight_sharing_fcs.tflite': {
    codes: ['entry-not-calibrated', 'operator-left-float', 'larger-than-source'],
  },
}

const root = sharedData()
const folder = join(root ?? '', 'conformance', 'tflite')
const names =
  root === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith('.tflite'))

t.test(
  'models of ai-edge-quantizer',
  { skip: names.length === 0 && WITHOUT_SHARED_DATA },
  async (t) => {
    for (const name of names) {
      const { codes = [], leastDb = 35 } = EXPECTED[name] ?? {}
      const model = new Uint8Array(readFileSync(join(folder, name)))
      const { bytes, findings, operators } = await quantize({
        model,
        target: 'litert',
        scheme: parseScheme('static-w8a8'),
        calibration: randomData(model, CALIBRATION_SAMPLES),
        // What recovery adds is weighed in `npm run bench:quality`; here it would be most of the time.
        options: { recovery: [] },
      })
      t.same(
        findings.map(({ code }) => code),
        codes,
        name,
      )
      t.ok(operators.integer > 0)
      t.same(
        checkTflite(readTflite(bytes)).filter(({ severity }) => severity === 'error'),
        [],
      )
      const errors = await outputSqnr(model, bytes, randomData(model, TEST_SAMPLES))
      for (const [output, db] of Object.entries(errors)) {
        t.ok(db >= leastDb, `${name} ${output}: ${db.toFixed(1)} dB`)
      }
    }
  },
)

/** Random numbers for every input; SLICE is asked for its first element. */
function randomData(model: Uint8Array, samples: number): Dataset {
  const { entries } = quantizableTflite.open(model, { sources: 'keep', forIntegers: false }) as {
    entries: readonly { inputs: readonly TensorInfo[] }[]
  }
  const [first] = entries
  const arrays = new Map<string, Tensor>()
  for (const [i, { name, type, shape }] of (first?.inputs ?? []).entries()) {
    if (type === 'float32') {
      const closed = [samples, ...shape.map((dim) => (dim < 0 ? 1 : dim))]
      arrays.set(name, { type, shape: closed, data: numbers(closed, -1, 1, i + 1) })
    } else {
      const data = new Int32Array(samples * 3).fill(name === 'size' ? 1 : 0)
      arrays.set(name, { type: 'int32', shape: [samples, 3], data })
    }
  }
  return toDataset(arrays, 'random numbers')
}
