import { MUTATIONS, type MutationName } from '../planner/formats/tflite/codec/mutations.ts'
import { pick, randomOf } from '../planner/formats/tflite/random.ts'

export interface WholeFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface Subject {
  readonly name: string
  readonly files: readonly WholeFile[]
  /** How often each file is damaged, as a share of the rounds asked for. */
  readonly rounds: number
  /** A word for what came of the bytes; one that starts with `!` must not be. */
  outcomeOf(bytes: Uint8Array): string | Promise<string>
}

export interface Findings {
  readonly outcomes: Readonly<Record<string, number>>
  /** What must not be, and how to have it again. */
  readonly broken: readonly string[]
}

const MUTATION_NAMES = Object.keys(MUTATIONS) as MutationName[]

/** Every round damages one file in one way; the same for the same seed. */
export async function damage(subject: Subject, seed: number): Promise<Findings> {
  const outcomes: Record<string, number> = {}
  const broken: string[] = []
  for (let round = 0; round < subject.rounds; round += 1) {
    const random = randomOf(seed + round)
    const file = subject.files[round % subject.files.length] as WholeFile
    const mutation = pick(random, MUTATION_NAMES)
    const outcome = await subject.outcomeOf(MUTATIONS[mutation](random, file.bytes))
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    if (outcome.startsWith('!')) {
      broken.push(`${subject.name}: ${outcome}; round ${round}, ${mutation} of ${file.name}`)
    }
  }
  return { outcomes, broken }
}
