import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../../../shared/errors.ts'
import { QuantizerError } from '../errors.ts'
import type { FromWorker, ObservationTask, SampleInputs, ToWorker } from './messages.ts'
import type { TensorStatistics } from './statistics.ts'

const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

/** Samples per message, and messages under way: the thread never waits, and memory stays flat. */
const BATCH = 8
const IN_FLIGHT = 2

/** Samples to run, made one at a time when their turn comes. */
export interface SampleSource {
  readonly count: number
  at(sample: number): SampleInputs
}

/**
 * Runs every sample through a model in a thread of its own and returns what it observed of the outputs.
 * @throws QuantizerError `calibration-unusable` when the model cannot run them.
 */
export async function observe(
  task: ObservationTask,
  samples: SampleSource,
  onSeen: (samples: number) => void,
): Promise<readonly TensorStatistics[]> {
  const worker = new Worker(ENTRY, { workerData: task })
  const replies = new Replies(worker)
  const send = (message: ToWorker) => {
    const inputs = message.kind === 'samples' ? message.samples.flat() : []
    worker.postMessage(
      message,
      inputs.map((tensor) => tensor.data.buffer as ArrayBuffer),
    )
  }
  try {
    await expectReply(replies, 'ready')
    let next = 0
    const sendBatch = () => {
      if (next >= samples.count) return
      const end = Math.min(samples.count, next + BATCH)
      send({ kind: 'samples', samples: range(next, end).map((i) => ownCopy(samples.at(i))) })
      next = end
    }
    for (let i = 0; i < IN_FLIGHT; i += 1) sendBatch()
    for (let seen = 0; seen < samples.count; ) {
      seen += (await expectReply(replies, 'seen')).samples
      onSeen(seen)
      sendBatch()
    }
    send({ kind: 'finish' })
    return (await expectReply(replies, 'statistics')).statistics
  } finally {
    await worker.terminate()
  }
}

/** Replies in order; a thread that dies says why instead. */
class Replies {
  readonly #arrived: FromWorker[] = []
  #wake: () => void = () => {}

  constructor(worker: Worker) {
    const dead = (message: string) => this.#push({ kind: 'failed', message })
    worker.on('message', (reply: FromWorker) => this.#push(reply))
    worker.on('error', (error) => dead(messageOf(error)))
    worker.on('exit', () => dead('the calibration thread stopped without an answer'))
  }

  async next(): Promise<FromWorker> {
    for (;;) {
      const reply = this.#arrived.shift()
      if (reply !== undefined) return reply
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #push(reply: FromWorker): void {
    this.#arrived.push(reply)
    this.#wake()
  }
}

async function expectReply<K extends FromWorker['kind']>(
  replies: Replies,
  kind: K,
): Promise<Extract<FromWorker, { kind: K }>> {
  const reply = await replies.next()
  if (reply.kind === kind) return reply as Extract<FromWorker, { kind: K }>
  const reason = reply.kind === 'failed' ? reply.message : `unexpected "${reply.kind}"`
  throw new QuantizerError(
    'calibration-unusable',
    `the model does not run on the calibration data: ${reason}`,
  )
}

/** A sample may be a view of the whole data set, which must not travel with it. */
function ownCopy(inputs: SampleInputs): SampleInputs {
  return inputs.map((tensor) => ({ ...tensor, data: tensor.data.slice() }))
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}
