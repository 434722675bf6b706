import t from 'tap'
import { WITHOUT_SHARED_DATA } from '../../../../shared-data.ts'
import { randomOf } from '../random.ts'
import { realModels } from '../real-models.ts'
import { outcomeOf, wholeFiles } from './damaged.ts'
import { MUTATIONS, type MutationName } from './mutations.ts'

const ROUNDS = 10_000
const SEED = Number(process.env.FUZZ_SEED ?? 20261123)

t.test(`${ROUNDS} damaged files end in a model or in one clear error`, async (t) => {
  const files = wholeFiles()
  if (realModels().length === 0) t.comment(`real models: ${WITHOUT_SHARED_DATA}`)
  t.comment(`${files.length} files, FUZZ_SEED=${SEED}`)
  const outcomes: Record<string, number> = {}
  for (let round = 0; round < ROUNDS; round += 1) {
    const file = files[round % files.length] as (typeof files)[number]
    const random = randomOf(SEED + round)
    const names = Object.keys(MUTATIONS) as MutationName[]
    const mutation = names[Math.floor(random() * names.length)] as MutationName
    const damaged = MUTATIONS[mutation](random, file.bytes)
    const outcome = outcomeOf(damaged)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    if (outcome.startsWith('!')) {
      t.fail(`${outcome}: round ${round} of FUZZ_SEED=${SEED}, ${mutation} of ${file.name}`)
    }
  }
  t.comment(JSON.stringify(outcomes))
  t.ok((outcomes.read ?? 0) > ROUNDS / 100, 'some damage stays readable')
  t.ok((outcomes.corrupt ?? 0) > ROUNDS / 100, 'some damage is noticed')
})
