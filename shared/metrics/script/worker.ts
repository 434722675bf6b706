import { parentPort, workerData } from 'node:worker_threads'
import { invariant, messageOf, unreachable } from '../../errors.ts'
import type { Answer } from '../meter.ts'
import type { FromScript, ToScript } from './messages.ts'

// Entry of the thread that a user's metric runs in: it may throw, end the thread or never answer.
const port = parentPort
invariant(port, 'runs as a worker thread')

/** What a sample is called in the user's words. */
interface Sample {
  readonly outputs: Readonly<Record<string, unknown>>
  readonly labels: Readonly<Record<string, unknown>>
  readonly reference: Readonly<Record<string, unknown>> | undefined
}

interface Gathering {
  add(sample: Sample): unknown
  score(): unknown
}

type Fields = Readonly<Record<string, unknown>>

let module: Fields | undefined
let gathering: Gathering | undefined

async function reply(message: ToScript): Promise<FromScript> {
  switch (message.kind) {
    case 'start': {
      module = (await import(String(workerData))) as Fields
      const { direction, unit = 'number' } = module
      if (direction !== 'higher' && direction !== 'lower')
        throw new Error('it must export const direction = "higher" or "lower": which is better')
      if (unit !== 'share' && unit !== 'rate' && unit !== 'number')
        throw new Error('its unit must be "share", "rate" or "number"')
      gathering = started(module)
      return { kind: 'started', direction, unit }
    }
    case 'add':
      await gathering?.add(sampleOf(message.answer))
      return { kind: 'added' }
    case 'score': {
      const value = await gathering?.score()
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw new Error(`it gave ${String(value)} for a score: give a finite number`)
      return { kind: 'scored', score: { value } }
    }
    default:
      return unreachable(message)
  }
}

/** `create()` gathers by itself; of `score(sample)` the mean is taken. */
function started({ create, score }: Fields): Gathering {
  if (typeof create === 'function') {
    const made = create() as Partial<Gathering> | undefined
    if (typeof made?.add === 'function' && typeof made.score === 'function') {
      return made as Gathering
    }
    throw new Error('its create() must return { add(sample), score() }')
  }
  if (typeof score !== 'function')
    throw new Error('it must export function score(sample), or create()')
  return meanOf(score as (sample: Sample) => unknown)
}

function meanOf(score: (sample: Sample) => unknown): Gathering {
  let [sum, samples] = [0, 0]
  return {
    async add(sample) {
      const value = await score(sample)
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw new Error(
          `score(sample) gave ${String(value)} for sample ${samples}: give a finite number`,
        )
      sum += value
      samples += 1
    },
    score: () => sum / samples,
  }
}

function sampleOf({ outputs, truth, reference }: Answer): Sample {
  return {
    outputs: Object.fromEntries(outputs.map(({ name, ...array }) => [name, array])),
    labels: Object.fromEntries(
      [...truth].map(([name, array]) => [name === '' ? 'y' : `y.${name}`, array]),
    ),
    reference: reference && Object.fromEntries(reference),
  }
}

// One message is under way at a time: who asks waits for the reply.
port.on('message', (message: ToScript) => {
  void reply(message)
    .catch((error: unknown): FromScript => ({ kind: 'failed', message: messageOf(error) }))
    .then((answer) => port.postMessage(answer))
})
