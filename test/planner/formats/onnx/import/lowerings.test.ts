import t from 'tap'
import { checkOnnx } from '../../../../../planner/formats/onnx/check.ts'
import { writeOnnx } from '../../../../../planner/formats/onnx/codec.ts'
import { importTflite } from '../../../../../planner/formats/onnx/import/index.ts'
import { LOWERINGS } from '../../../../../planner/formats/onnx/import/lowerings/table.ts'
import { operatorName, readTflite } from '../../../../../planner/formats/tflite/index.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { onnxruntime } from '../../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import type { Tensor } from '../../../../../shared/tensors.ts'
import { CASES, type Case } from './cases.ts'
import { numbersFor, poolable, randomFrom, type Shaping, tfliteOf } from './one-operator.ts'
import { relativeError } from './relative-error.ts'

const litert = await LitertEngine.start()
const BARE: Shaping = { behindPool: false, openBatch: false }

async function errorOf(one: Case, shaping: Shaping): Promise<number> {
  const file = tfliteOf(one, shaping)
  const { model } = importTflite(readTflite(file))
  t.same(checkOnnx(model), [], one.title)
  const theirs = litert.load(file)
  const ours = await onnxruntime.load(writeOnnx(model))
  const random = randomFrom(one.title.length)
  const computed = one.inputs.flatMap((operand) =>
    operand?.data === undefined ? (operand ?? []) : [],
  )
  const inputs = Object.fromEntries(
    ours.inputs.map((info, i): [string, Tensor] => {
      const operand = computed[i] as NonNullable<(typeof computed)[number]>
      return [
        info.name,
        { type: info.type, shape: operand.shape, data: numbersFor(operand, random) },
      ]
    }),
  )
  const expected = theirs.run(inputs).map((tensor) => tensor.data.slice())
  const actual = await ours.run(inputs)
  const errors = ours.outputs.map(({ name }, i) =>
    relativeError(
      actual[name] as Tensor,
      expected[i] as Tensor['data'],
      one.outputs[i]?.shape ?? [],
    ),
  )
  theirs.close()
  await ours.close()
  return Math.max(...errors)
}

t.test('every lowering has a case', async (t) => {
  const covered = new Set(
    CASES.flatMap((one) => {
      const source = readTflite(tfliteOf(one, BARE))
      const operators = source.subgraphs[0]?.operators ?? []
      return operators.map((operator) => operatorName(source, operator))
    }),
  )
  t.same(
    Object.keys(LOWERINGS).filter((kind) => !covered.has(kind)),
    [],
  )
})

for (const one of CASES) {
  t.test(one.title, async (t) => {
    if (!one.openOnly) t.ok((await errorOf(one, BARE)) <= 1e-5, 'as it stands')
    if (!one.openOnly && one.inputs.some(poolable)) {
      t.ok((await errorOf(one, { ...BARE, behindPool: true })) <= 1e-5, 'channels first')
    }
    t.ok((await errorOf(one, { behindPool: true, openBatch: true })) <= 1e-5, 'open batch')
  })
}
