import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { importTflite } from '../../../../../planner/formats/onnx/import/index.ts'
import { writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { readTflite, writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { prepare } from '../../../../../planner/formats/tflite/prepare/prepare.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import type { Tensor } from '../../../../../shared/tensors.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../../shared-data.ts'
import { numbersFor, type Operand, randomFrom } from '../../onnx/import/one-operator.ts'
import { relativeError } from '../../onnx/import/relative-error.ts'

const litert = await LitertEngine.start()

t.setTimeout(0)

/** What came back may have this many operators for each that went: a few kernels are chains in ONNX. */
const MOST_OPERATORS = 1.2

interface Trip {
  readonly error: number
  readonly before: number
  readonly after: number
}

async function roundTrip(file: Uint8Array): Promise<Trip> {
  const source = readTflite(file)
  const onnx = writeOnnx(importTflite(source).model)
  const { model } = await importOnnx(onnx, 'trip.onnx')
  const theirs = litert.load(file)
  const ours = litert.load(writeTflite(model))
  const random = randomFrom(11)
  const sample = Object.fromEntries(
    theirs.inputs.map(({ name, type, shape }): [string, Tensor] => {
      const closed = shape.map((dim) => (dim < 0 ? 1 : dim))
      const operand: Operand = {
        type: type.toUpperCase() as Operand['type'],
        shape: closed,
        domain: 'unit',
      }
      return [
        name,
        { type, shape: closed, data: numbersFor(operand, type === 'float32' ? random : () => 0.5) },
      ]
    }),
  )
  const expected = theirs.run(sample).map(({ data, shape }) => ({ data: data.slice(), shape }))
  const actual = ours.run(sample)
  const errors = ours.outputs.map(({ name }, i) => {
    const at = theirs.outputs.findIndex((output) => output.name === name)
    const wanted = expected[at] as (typeof expected)[number]
    return relativeError(actual[i] as Tensor, wanted.data, wanted.shape)
  })
  theirs.close()
  ours.close()
  const count = (one: typeof model) => one.subgraphs[0]?.operators.length ?? 0
  return { error: Math.max(...errors), before: count(source), after: count(model) }
}

t.test(
  '.tflite → .onnx → .tflite gives the same outputs and hardly an operator more',
  async (t) => {
    const root = sharedData()
    const demo = join('planner', 'demo', 'motor-faults', 'model.tflite')
    const conformance = root === undefined ? '' : join(root, 'conformance', 'tflite')
    const paths = [
      demo,
      ...(root === undefined
        ? []
        : [
            join(root, 'mlperf-tiny', 'ic01_float32.tflite'),
            join(root, 'mlperf-tiny', 'kws01_float32.tflite'),
            ...readdirSync(conformance).map((name) => join(conformance, name)),
          ]),
    ]
    if (root === undefined) t.pass(WITHOUT_SHARED_DATA, { skip: true })
    for (const path of paths) {
      // Integer models have no float form; LiteRT refuses duplicate names; the slice's bounds are inputs.
      if (/quantized|duplicated|single_slice/.test(path)) continue
      const { model } = prepare(readTflite(readFileSync(path)), {
        sources: 'dequantize',
        forIntegers: false,
      })
      const { error, before, after } = await roundTrip(writeTflite(model))
      t.ok(error <= 1e-5, `${path}: ${error.toExponential(1)}`)
      t.ok(
        after <= Math.ceil(before * MOST_OPERATORS),
        `${path}: ${before} operators became ${after}`,
      )
    }
  },
)
