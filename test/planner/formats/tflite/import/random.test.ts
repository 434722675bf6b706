/** Run as a test: some hundred graphs; `node random.test.js 10000 SEED`: as many as that, from another seed. */
import t from 'tap'
import { writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { AppError, InvariantError } from '../../../../../shared/errors.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { onnxruntime } from '../../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { sizeOf, type Tensor } from '../../../../../shared/tensors.ts'
import { randomFrom } from '../../onnx/import/one-operator.ts'
import { relativeError } from '../../onnx/import/relative-error.ts'
import { randomGraph } from './random-graphs.ts'

const [asked, seedAsked] = process.argv.slice(2).map(Number)
const GRAPHS = asked || 150
const DAMAGED = asked || 300
const SEED = seedAsked || 20261129

const litert = await LitertEngine.start()

t.setTimeout(0)

/** Largest error of the outputs on one sample. */
async function errorOf(bytes: Uint8Array, random: () => number): Promise<number> {
  const { model } = await importOnnx(bytes, 'random.onnx')
  const theirs = await onnxruntime.load(bytes)
  const ours = litert.load(writeTflite(model))
  try {
    const sample = Object.fromEntries(
      theirs.inputs.map(({ name, shape }): [string, Tensor] => {
        const data = Float32Array.from({ length: sizeOf(shape) }, () => random() * 2 - 1)
        return [name, { type: 'float32', shape, data }]
      }),
    )
    const expected = await theirs.run(sample)
    const actual = ours.run(sample)
    const errors = ours.outputs.map(({ name }, i) => {
      const wanted = expected[name] as Tensor
      return relativeError(actual[i] as Tensor, wanted.data, wanted.shape)
    })
    return Math.max(0, ...errors)
  } finally {
    ours.close()
    await theirs.close()
  }
}

t.test('random graphs give the same numbers, or are refused for a reason', async (t) => {
  let refused = 0
  for (let i = 0; i < GRAPHS; i += 1) {
    const random = randomFrom(SEED + i)
    const { model, spec } = randomGraph(random)
    if (spec.outputs.length === 0) continue
    try {
      const error = await errorOf(writeOnnx(model), random)
      if (error > 1e-4)
        t.fail(`seed ${SEED + i}: ${error.toExponential(1)}`, {
          rows: spec.rows.map((row) => row.join(' ')),
        })
    } catch (error) {
      if (!(error instanceof AppError) || error instanceof InvariantError)
        t.fail(`seed ${SEED + i}: ${String(error)}`, {
          rows: spec.rows.map((row) => row.join(' ')),
        })
      refused += 1
    }
  }
  t.ok(refused < GRAPHS / 10, `${refused} of ${GRAPHS} refused`)
})

t.test('damaged graphs end in a model or in one clear line', async (t) => {
  for (let i = 0; i < DAMAGED; i += 1) {
    const random = randomFrom(SEED + 1_000_000 + i)
    const bytes = writeOnnx(randomGraph(random, 5).model)
    const hits = 1 + Math.floor(random() * 4)
    for (let hit = 0; hit < hits; hit += 1)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    const damaged = random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes
    try {
      await importOnnx(damaged, 'damaged.onnx')
    } catch (error) {
      const isClear = error instanceof AppError && !(error instanceof InvariantError)
      if (!isClear)
        t.fail(`seed ${SEED + i}: ${String(error instanceof Error ? error.stack : error)}`)
      else if (error.message.includes('\n'))
        t.fail(`seed ${SEED + i}: several lines: ${error.message}`)
    }
  }
})
