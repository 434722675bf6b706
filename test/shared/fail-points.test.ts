import t from 'tap'
import { failPointsFrom, momentsOf } from '../../shared/fail-points.ts'

const KNOWN = [...momentsOf(['run.started', 'install.testing', 'install.active']), 'slot.placed']

t.test('what is no fail point is refused in one short line that names some like it', (t) => {
  const rows: [string, RegExp][] = [
    ['nonsense', /there are 10, such as run\.started\.before, [^,]+, [^,]+; names\.ts names/],
    ['install.dancing.after', /such as install\.testing\.before, install/],
    ['x'.repeat(5_000), /^FITMENT_FAIL_POINT="x+" is no fail point/],
    ['slot.placed#0', /is no fail point/],
  ]
  for (const [text, message] of rows) {
    t.throws(() => failPointsFrom(text, KNOWN, 'names.ts'), { code: 'usage', message })
    try {
      failPointsFrom(text, KNOWN, 'names.ts')
    } catch (error) {
      t.ok(String(error).length < 300, `${String(error).length} characters`)
    }
  }
  t.end()
})

t.test('a place is armed for one of its passes', (t) => {
  const second = failPointsFrom('slot.placed#2', KNOWN, 'names.ts')
  t.notOk(second.isArmed('slot.placed'))
  second.reach('slot.placed')
  t.ok(second.isArmed('slot.placed'))
  second.reach('run.started.before')
  t.notOk(failPointsFrom(undefined, KNOWN, 'names.ts').isArmed('slot.placed'))
  t.end()
})
