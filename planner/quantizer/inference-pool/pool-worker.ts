import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  forbidTelemetry,
  holdMachineCode,
  type ModelFormat,
  RuntimeError,
  startQuickly,
} from '../../../shared/runtime/index.ts'
import {
  buffersOf,
  type FromPool,
  type PoolTask,
  type SampleInputs,
  type SampleSource,
  type ToPool,
} from './messages.ts'
import { Replies } from './replies.ts'

const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

/** One thread of a pool: it answers each message once, in order. */
export class PoolWorker {
  readonly #worker: Worker
  readonly #replies: Replies
  /** Samples that came back: new memory for each would be the garbage of all of them. */
  readonly #spare: SampleInputs[] = []

  constructor(task: PoolTask) {
    PREPARE[task.format]()
    this.#worker = new Worker(ENTRY, { workerData: task })
    this.#replies = new Replies(this.#worker)
  }

  /** @throws RuntimeError where the thread says no, or is gone */
  async ask<K extends FromPool['kind']>(
    kind: K,
    message: ToPool,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Extract<FromPool, { kind: K }>> {
    this.#worker.postMessage(message, [...transfer])
    const reply = await this.#replies.next()
    if (reply.kind === kind) return reply as Extract<FromPool, { kind: K }>
    const reason = reply.kind === 'failed' ? reply.message : `answered "${reply.kind}" out of turn`
    throw new RuntimeError('run-failed', reason)
  }

  /** Runs `size` samples from `first` on. */
  async run(source: SampleSource, first: number, size: number): Promise<void> {
    const samples = Array.from({ length: size }, (_, i) => this.#own(source, first + i))
    const message = { kind: 'run', samples, first } as const
    const { samples: back } = await this.ask('ran', message, buffersOf(samples))
    this.#spare.push(...back)
  }

  #own(source: SampleSource, sample: number): SampleInputs {
    const spare = this.#spare.pop()
    const inputs = source.at(sample, spare)
    const taken = inputs.every(({ data }, i) => data === spare?.[i]?.data)
    return taken ? inputs : ownCopy(inputs)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** What a runtime wants of the process before it starts in a thread. */
const PREPARE: Record<ModelFormat, () => void> = {
  tflite: () => {
    startQuickly()
    void holdMachineCode()
  },
  onnx: forbidTelemetry,
}

/** A sample may be a view of the whole data set, which must not travel with it. */
export function ownCopy(inputs: SampleInputs): SampleInputs {
  return inputs.map((tensor) => ({ ...tensor, data: tensor.data.slice() }))
}
