import t from 'tap'
import { writeOnnx } from '../../../../../planner/formats/onnx/index.ts'
import { importOnnx } from '../../../../../planner/formats/tflite/import/index.ts'
import { LOWERINGS } from '../../../../../planner/formats/tflite/import/lowerings/table.ts'
import { writeTflite } from '../../../../../planner/formats/tflite/index.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
import { onnxruntime } from '../../../../../shared/runtime/onnxruntime/onnxruntime.ts'
import { relativeError } from '../../onnx/import/relative-error.ts'
import { smallOnnx } from '../../onnx/small-onnx.ts'
import { behindPool, errorOf, type OnnxCase } from './case.ts'
import { EXPORTER_CASES } from './exporter-cases.ts'
import { NUMBER_CASES } from './number-cases.ts'
import { SHAPE_CASES } from './shape-cases.ts'
import { WINDOW_CASES } from './window-cases.ts'

const litert = await LitertEngine.start()

t.setTimeout(0)

const CASES = [...NUMBER_CASES, ...WINDOW_CASES, ...SHAPE_CASES, ...EXPORTER_CASES]

async function agrees(one: OnnxCase): Promise<string | null> {
  try {
    const error = await errorOf(one, litert)
    return error <= 2e-5 ? null : `differs by ${error.toExponential(1)}`
  } catch (error) {
    return String(error)
  }
}

t.test('each operator computes in LiteRT what it computes in ONNX Runtime', async (t) => {
  for (const one of CASES) t.equal(await agrees(one), null, one.title)
})

t.test('and does so where images are channels last', async (t) => {
  for (const one of CASES) {
    if (!Object.values(one.inputs).some(({ length }) => length === 4)) continue
    t.equal(await agrees(behindPool(one)), null, one.title)
  }
})

/** One step from nothing is the activation of x · w alone. ONNX Runtime's own cell answers infinity here, its operator does not. */
t.test('the Softplus of a cell holds where an exponential is more than a float', async (t) => {
  const x = { type: 'float32', shape: [1, 4, 1], data: Float32Array.of(-1e4, -1, 1, 1e4) } as const
  const common = { inputs: { x: x.shape }, outputs: ['y'], constants: { w: [1, 1, 1] } }
  const cell = smallOnnx({
    ...common,
    constants: { ...common.constants, r: [1, 1, 1] },
    rows: [
      [
        'RNN',
        ['x', 'w', 'r'],
        ['y'],
        { hidden_size: ['int', 1], activations: ['strings', ['Softplus']] },
      ],
    ],
  })
  const operator = smallOnnx({
    ...common,
    rows: [
      ['Mul', ['x', 'w'], ['product']],
      ['Softplus', ['product'], ['y']],
    ],
  })
  const { model } = await importOnnx(writeOnnx(cell), 'cell.onnx')
  const ours = litert.load(writeTflite(model))
  const theirs = await onnxruntime.load(writeOnnx(operator))
  const [actual] = ours.run({ x })
  const { y: wanted } = await theirs.run({ x })
  if (actual === undefined || wanted === undefined) throw new Error('no answers')
  t.ok(relativeError(actual, wanted.data, [1, 1, 4, 1]) <= 2e-5, `${actual.data}: ${wanted.data}`)
  ours.close()
  await theirs.close()
})

/** Prepared away before lowerings see them: folded, or said by others. */
const NEVER_SEEN: ReadonlySet<string> = new Set(['CastLike', 'Range', 'Swish'])

t.test('no row is without a case', (t) => {
  const tried = new Set(CASES.flatMap(({ rows }) => rows.map(([operator]) => operator)))
  const untried = Object.keys(LOWERINGS).filter((name) => !tried.has(name) && !NEVER_SEEN.has(name))
  t.same(untried, [])
  t.end()
})
