import type { ModelFormat } from '../../shared/runtime/index.ts'
import type { Parting } from './bisect.ts'
import { ProofError } from './errors.ts'
import type { Proof, ProvenOutput } from './prove.ts'

export interface Bar {
  /** Largest error of an output, as a share of its range. */
  readonly tolerance: number
  /** Both sides round to codes on the way, each in its runtime's way: noise counts, not the farthest value. */
  readonly rounds: boolean
  /** The result does not round where the source does: its own noise parts them. */
  readonly roundsLess?: boolean
}

/** Signal to noise, dB, of what rounds: far above what quantization itself leaves, far below any wrong operator. */
const LEAST_SQNR_DB = 20
/** And where only one of the two rounds: probabilities of a source in eight bits are noisy, those of a wrong operator nothing but noise. */
const LEAST_OF_ONE_DB = 6

function leastDb({ roundsLess }: Bar): number {
  return roundsLess ? LEAST_OF_ONE_DB : LEAST_SQNR_DB
}

/** Outputs further from the source's than they may be. */
export function differing({ outputs }: Proof, bar: Bar): readonly ProvenOutput[] {
  const { tolerance, rounds } = bar
  return outputs.filter(({ error, sqnrDb, codes }) =>
    rounds || codes ? !(sqnrDb >= leastDb(bar)) : !(error <= tolerance),
  )
}

/** @throws ProofError where an output is further from the source's than it may be */
export function refuseDifferent(
  proof: Proof,
  request: Bar & { readonly fileName: string; readonly to: ModelFormat },
  parting: Parting | null,
): void {
  const { fileName, tolerance, rounds, to } = request
  const found = differing(proof, request)
  if (found.length === 0) return
  const list = found
    .map(({ name, error, sqnrDb, codes }) =>
      rounds || codes
        ? `"${name}" with ${sqnrDb.toFixed(1)} dB`
        : `"${name}" by ${error.toExponential(1)} of its range`,
    )
    .join(', ')
  const where =
    parting === null
      ? ''
      : `; it begins at ${parting.operator} "${parting.node}", whose result "${parting.value}" differs by ${parting.error.toExponential(1)}`
  const bar = rounds ? `${leastDb(request)} dB` : `tolerance ${tolerance}`
  throw new ProofError(
    'outputs-differ',
    `${fileName}: the .${to} model does not answer as its source (${bar}): ${list}${where}; nothing is written`,
    { outputs: proof.outputs, parting },
  )
}
