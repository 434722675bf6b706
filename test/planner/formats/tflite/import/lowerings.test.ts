import t from 'tap'
import { LOWERINGS } from '../../../../../planner/formats/tflite/import/lowerings/table.ts'
import { LitertEngine } from '../../../../../shared/runtime/litert/engine.ts'
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

/** Prepared away before lowerings see them: folded, or said by others. */
const NEVER_SEEN: ReadonlySet<string> = new Set(['CastLike', 'Range', 'Swish'])

t.test('no row is without a case', (t) => {
  const tried = new Set(CASES.flatMap(({ rows }) => rows.map(([operator]) => operator)))
  const untried = Object.keys(LOWERINGS).filter((name) => !tried.has(name) && !NEVER_SEEN.has(name))
  t.same(untried, [])
  t.end()
})
