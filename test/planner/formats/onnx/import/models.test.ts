import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkOnnx } from '../../../../../planner/formats/onnx/check.ts'
import { writeOnnx } from '../../../../../planner/formats/onnx/codec.ts'
import { ImportError, importTflite } from '../../../../../planner/formats/onnx/import/index.ts'
import { readTflite, writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { prepare } from '../../../../../planner/formats/tflite/prepare/prepare.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { onnxruntime } from '../../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import type { Tensor } from '../../../../../shared/tensors.ts'
import { sharedData, WITHOUT_SHARED_DATA } from '../../../../shared-data.ts'
import { numbersFor, type Operand, randomFrom, tfliteOf, x } from './one-operator.ts'
import { relativeError } from './relative-error.ts'

const litert = await LitertEngine.start()

/** Largest relative difference of the two runtimes' outputs over three random inputs, batch 1. */
async function errorOf(file: Uint8Array): Promise<number> {
  const { model } = importTflite(readTflite(file))
  t.same(checkOnnx(model), [])
  const theirs = litert.load(file)
  const ours = await onnxruntime.load(writeOnnx(model))
  const random = randomFrom(20261123)
  const errors: number[] = []
  for (let round = 0; round < 3; round += 1) {
    const tensors = theirs.inputs.map(({ type, shape }): Tensor => {
      const closed = shape.map((dim) => (dim < 0 ? 1 : dim))
      const operand: Operand = {
        type: type.toUpperCase() as Operand['type'],
        shape: closed,
        domain: 'unit',
      }
      // Indices must stay inside what they index: all integers become 0.
      const data = numbersFor(operand, type === 'float32' ? random : () => 0.5)
      return { type, shape: closed, data }
    })
    const named = (infos: typeof ours.inputs) =>
      Object.fromEntries(infos.map((info, i) => [info.name, tensors[i] as Tensor]))
    const expected = theirs
      .run(named(theirs.inputs))
      .map(({ data, shape }) => ({ data: data.slice(), shape }))
    const actual = await ours.run(named(ours.inputs))
    for (const [i, { name }] of ours.outputs.entries()) {
      const { data, shape } = expected[i] as (typeof expected)[number]
      errors.push(relativeError(actual[name] as Tensor, data, shape))
    }
  }
  theirs.close()
  await ours.close()
  return Math.max(...errors)
}

t.test('the models of the shared data give the same outputs in both runtimes', async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  const conformance = join(root, 'conformance', 'tflite')
  const paths = [
    join(root, 'mlperf-tiny', 'ic01_float32.tflite'),
    join(root, 'mlperf-tiny', 'kws01_float32.tflite'),
    ...readdirSync(conformance).map((name) => join(conformance, name)),
  ]
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    // Integer models have no float form; LiteRT refuses duplicate names; the slice's bounds are inputs: below.
    if (/quantized|duplicated|single_slice/.test(name)) continue
    // Hybrid kernels round activations too: what is compared is the float model behind such a file.
    const { model } = prepare(readTflite(readFileSync(path)), {
      sources: 'dequantize',
      forIntegers: false,
    })
    const error = await errorOf(writeTflite(model))
    t.ok(error <= 1e-5, `${name}: ${error.toExponential(1)}`)
  }
})

t.test('images stay channels first between convolutions', async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  for (const name of ['ic01', 'kws01']) {
    const bytes = readFileSync(join(root, 'mlperf-tiny', `${name}_float32.tflite`))
    const nodes = importTflite(readTflite(bytes)).model.graph?.node ?? []
    const transposes = nodes.filter(({ opType }) => opType === 'Transpose')
    t.ok(
      transposes.length <= 1,
      `${name}: ${transposes.length} transposes, at the image's entry only`,
    )
  }
})

t.test('inputs and outputs carry the names that callers of the source use', async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  for (const name of ['conv_fc_mnist', 'two_signatures', 'two_inputs_concatenation']) {
    const bytes = readFileSync(join(root, 'conformance', 'tflite', `${name}.tflite`))
    const theirs = litert.load(bytes)
    const ours = await onnxruntime.load(writeOnnx(importTflite(readTflite(bytes)).model))
    const names = ({ inputs, outputs }: Pick<typeof ours, 'inputs' | 'outputs'>) =>
      [...inputs, ...outputs].map((info) => info.name)
    t.same(names(ours), names(theirs), name)
    theirs.close()
    await ours.close()
  }
})

t.test('a slice whose bounds are computed', async (t) => {
  const bounds: Operand = { type: 'INT32', shape: [2] }
  const one = { kind: 'SLICE', inputs: [x(3, 4), bounds, bounds], outputs: [x(2, 2)] }
  const file = tfliteOf(one, { behindPool: false, openBatch: false })
  const session = await onnxruntime.load(writeOnnx(importTflite(readTflite(file)).model))
  const [data, begin, size] = session.inputs.map(({ name }) => name) as [string, string, string]
  const outputs = await session.run({
    [data]: {
      type: 'float32',
      shape: [3, 4],
      data: Float32Array.from({ length: 12 }, (_, i) => i),
    },
    [begin]: { type: 'int32', shape: [2], data: Int32Array.of(1, 1) },
    [size]: { type: 'int32', shape: [2], data: Int32Array.of(-1, 2) },
  })
  t.same(Object.values(outputs)[0]?.data, Float32Array.of(5, 6, 9, 10))
  await session.close()
})

t.test('an open batch stays open', async (t) => {
  const one = {
    kind: 'RESIZE_BILINEAR',
    inputs: [x(1, 3, 4, 2), { type: 'INT32', shape: [2], data: Int32Array.of(6, 8) } as const],
    outputs: [x(1, 6, 8, 2)],
    options: { type: 'ResizeBilinearOptions', halfPixelCenters: true },
  }
  const file = tfliteOf(one, { behindPool: true, openBatch: true })
  const session = await onnxruntime.load(writeOnnx(importTflite(readTflite(file)).model))
  const batch: Tensor = { type: 'float32', shape: [3, 3, 4, 2], data: new Float32Array(72) }
  const outputs = await session.run({ [session.inputs[0]?.name ?? '']: batch })
  t.same(Object.values(outputs)[0]?.shape, [3, 6, 8, 2])
  await session.close()
})

t.test('what has no ONNX form is refused in one line that names it', async (t) => {
  const refusalOf = (
    kind: string,
    inputs: Operand[],
    options?: { type: string; [k: string]: unknown },
  ) => {
    const one = { kind, inputs, outputs: [x(1, 4)], ...(options && { options }) }
    const file = tfliteOf(one, { behindPool: false, openBatch: false })
    try {
      importTflite(readTflite(file))
    } catch (error) {
      return error instanceof ImportError ? error : undefined
    }
    return undefined
  }
  const unknown = refusalOf('HASHTABLE_LOOKUP', [x(1, 4)])
  t.match(unknown, { code: 'unsupported-operator', details: { operators: ['HASHTABLE_LOOKUP'] } })
  t.match(unknown?.message, /HASHTABLE_LOOKUP/)
  const computed: Operand = { type: 'INT32', shape: [2] }
  t.match(refusalOf('TRANSPOSE', [x(1, 4), computed])?.message, /TRANSPOSE.*run time/)
  t.match(refusalOf('TILE', [x(1, 4), computed])?.message, /TILE.*run time/)
  const ellipsis = { type: 'StridedSliceOptions', ellipsisMask: 1 }
  t.match(refusalOf('STRIDED_SLICE', [x(1, 4), computed, computed, computed], ellipsis), {
    code: 'unsupported-model',
  })
})

t.test('an integer model is refused: its float source is wanted', async (t) => {
  const root = sharedData()
  if (root === undefined) return void t.pass(WITHOUT_SHARED_DATA, { skip: true })
  const bytes = readFileSync(join(root, 'mlperf-tiny', 'ic01_reference_int8.tflite'))
  t.throws(() => importTflite(readTflite(bytes)), { code: 'unsupported-model' })
})
