import t from 'tap'
import { damage } from '../../../fuzz/damage.ts'
import { outcomeOf, wholeFiles } from './damaged.ts'

/** `npm run fuzz` has more, with another seed every time. */
const ROUNDS = 500
const SEED = Number(process.env.FUZZ_SEED ?? 20261125)

t.test(`${ROUNDS} damaged files end in a model or in one clear error`, async (t) => {
  const candidate = { name: '.onnx files', rounds: ROUNDS, files: wholeFiles(), outcomeOf }
  const { outcomes, broken } = await damage(candidate, SEED)
  t.comment(JSON.stringify(outcomes))
  t.same(broken, [], `FUZZ_SEED=${SEED}`)
  t.ok((outcomes.read ?? 0) > ROUNDS / 100, 'some damage stays readable')
  t.ok((outcomes.corrupt ?? 0) > ROUNDS / 100, 'some damage is noticed')
})
