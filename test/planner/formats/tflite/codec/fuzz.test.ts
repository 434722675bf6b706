import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { decodeTflite } from '../../../../../planner/formats/tflite/codec/read.ts'
import {
  constantOf,
  readTflite,
  TfliteError,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { WITHOUT_SHARED_DATA } from '../../../../shared-data.ts'
import { randomOf } from '../random.ts'
import { realModels } from '../real-models.ts'
import { smallModel } from '../small-model.ts'
import { KitchenSink } from './kitchen-sink.ts'
import { MUTATIONS, type MutationName } from './mutations.ts'

const ROUNDS = 10_000
const SEED = Number(process.env.FUZZ_SEED ?? 20261123)

t.test(`${ROUNDS} damaged files end in a model or in one clear error`, async (t) => {
  const files = seedFiles()
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

function seedFiles(): { name: string; bytes: Uint8Array }[] {
  const generated = [1, 2].map((seed) => ({
    name: `kitchen sink ${seed}`,
    bytes: writeTflite(new KitchenSink(randomOf(seed)).model()),
  }))
  return [...realModels(), { name: 'small model', bytes: writeTflite(smallModel()) }, ...generated]
}

/** The error's code or `read`; anything else starts with `!`. */
function outcomeOf(bytes: Uint8Array): string {
  try {
    const decoded = decodeTflite(bytes, 'damaged.tflite')
    const again = decodeTflite(writeTflite(decoded), 'rewritten.tflite')
    if (!isDeepStrictEqual(again, decoded)) return '! a round trip that loses'
    const model = readTflite(bytes, 'damaged.tflite')
    for (const { tensors } of model.subgraphs) {
      for (const tensor of tensors) constantOf(model, tensor)
    }
    return 'read'
  } catch (error) {
    if (!(error instanceof TfliteError)) return `! ${String(error)}`
    return error.message.includes('\n') ? '! a message of several lines' : error.code
  }
}
