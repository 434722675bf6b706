import type { Session } from '../../shared/runtime/index.ts'
import type { Tensor } from '../../shared/tensors.ts'

/** More answers than this are not kept: who needs them again asks the model again. */
const MOST_BYTES = 128 * 1024 * 1024

type Answers = Readonly<Record<string, Tensor>>

export interface AnsweredOnce {
  /** The model; what it answers is kept, run by run. */
  readonly asking: Session
  /** Gives the answers of these runs again, in this order; the model itself where they were too many to keep. */
  again(runs: readonly number[]): Session
}

/** A model that is asked each sample once, however many look at its answers. */
export function answeredOnce(session: Session, mostBytes = MOST_BYTES): AnsweredOnce {
  const kept: Answers[] = []
  let bytes = 0
  const keep = (answers: Answers) => {
    for (const { data } of Object.values(answers)) bytes += data.byteLength
    if (bytes > mostBytes) kept.length = 0
    else kept.push(copied(answers))
  }
  const asking: Session = {
    ...described(session),
    async run(inputs) {
      const answers = await session.run(inputs)
      keep(answers)
      return answers
    },
    close: () => session.close(),
  }
  const again = (runs: readonly number[]): Session => {
    if (bytes > mostBytes || runs.some((run) => kept[run] === undefined)) return session
    let next = 0
    return {
      ...described(session),
      run: async () => kept[runs[next++] ?? 0] ?? {},
      close: async () => {},
    }
  }
  return { asking, again }
}

function described({ inputs, outputs }: Session): Pick<Session, 'inputs' | 'outputs'> {
  return { inputs, outputs }
}

/** A runtime may write its next answers over these. */
function copied(answers: Answers): Answers {
  return Object.fromEntries(
    Object.entries(answers).map(([name, tensor]) => [
      name,
      { ...tensor, data: tensor.data.slice() } as Tensor,
    ]),
  )
}
