import { join } from 'node:path'
import t from 'tap'
import { unitTests } from './unit-tests.ts'

t.test('unit tests are those that reach nothing outside by any import', async (t) => {
  const folder = join(import.meta.dirname, '..')
  const units = new Set(unitTests(folder))
  for (const unit of ['shared/schemes', 'planner/classes/classify', 'fast/unit-tests']) {
    t.ok(units.has(join(folder, `${unit}.test.js`)), unit)
  }
  for (const story of ['stories/fleet-loop', 'broker/access', 'shared/runtime/onnxruntime']) {
    t.notOk(units.has(join(folder, `${story}.test.js`)), story)
  }
})
