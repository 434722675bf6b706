import t from 'tap'
import { admit } from '../../../planner/api/models/registration-gates.ts'
import type { Quality } from '../../../planner/variants/index.ts'
import { newModel } from '../storage/sample.ts'

const { facts, reference } = newModel
const TEST = newModel.test ?? ''

/** What the float model reaches. */
function reaching(over: Partial<Quality>): Quality {
  return { ...reference.wholeQuality, accuracy: 0.95, accuracyCi95: [0.93, 0.97], ...over }
}

function admitted(
  quality: Quality,
  inUse: Quality | null,
  over: { test?: string; force?: string; maxRegression?: number } = {},
) {
  const { test = TEST, ...rest } = over
  const file = { digest: test, name: 't.npz' }
  const { name, objective, constraints } = newModel
  const input = { name, source: file, calibration: null, test: file, objective, constraints }
  const before = inUse && {
    revision: 4,
    test: TEST,
    reference: { ...reference, wholeQuality: inUse },
  }
  return admit({ ...input, ...rest }, { facts, wholeQuality: quality }, before ?? undefined)
}

const refused = (message: RegExp) => ({ code: 'gate-refused', message })

t.test('what answers NaN is not registered, first revision or not', async (t) => {
  const broken = reaching({ notFinite: 7 })
  t.throws(() => admitted(broken, null), refused(/7 times NaN or infinity/))
  t.match(admitted(broken, null, { force: 'a fixture' }), {
    findings: [{ code: 'gate-forced' }],
    forced: { against: [/NaN/], reason: 'a fixture' },
  })
})

t.test('what is worse than the revision in use is not, by as much as is allowed', async (t) => {
  const before = reaching({})
  const worse = reaching({ accuracy: 0.92 })
  t.throws(
    () => admitted(worse, before),
    refused(/95\.00? % of revision 4.*more than 2\.0 pt worse/),
  )
  t.same(admitted(worse, before, { maxRegression: 0.05 }), { findings: [] })
  t.same(admitted(reaching({ accuracy: 0.935 }), before), { findings: [] })
  t.same(admitted(worse, null), { findings: [] }, 'nothing is in use')
})

t.test('on other test data it is only told', async (t) => {
  const other = { test: 'e'.repeat(64) }
  t.match(admitted(reaching({ accuracy: 0.5 }), reaching({}), other), {
    findings: [{ code: 'regression-on-other-data', severity: 'warning' }],
  })
})

t.test('a metric is compared with the same one, in its own direction', async (t) => {
  const judged = (value: number) =>
    reaching({
      accuracy: null,
      metric: { text: 'cer', direction: 'lower', unit: 'rate', value, reference: value },
    })
  t.throws(() => admitted(judged(0.2), judged(0.1)), refused(/cer goes from 10.* to 20/))
  t.same(admitted(judged(0.1), judged(0.2)), { findings: [] })
  t.same(admitted(judged(0.9), reaching({})), { findings: [] }, 'nothing to compare it with')
})

t.test('labels that match worse than chance are told', async (t) => {
  const { findings } = admitted(reaching({ accuracy: 0, accuracyCi95: [0, 0.001] }), null)
  t.match(findings, [{ code: 'worse-than-chance', message: /do the labels belong to this model/ }])
})
