import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { RuntimeError, type RuntimeName } from '../../../shared/runtime/index.ts'
import { holdMachineCode } from '../../../shared/runtime/litert/machine-code.ts'
import { buffersOf, type FromLaboratory, type SampleInputs, type ToLaboratory } from './messages.ts'
import { Replies } from './replies.ts'

const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

/** One thread of a laboratory: it answers each message once, in order. */
export class Hand {
  readonly #worker: Worker
  readonly #replies: Replies
  /** Copies of samples that came back: new ones for each sample would be the garbage of all of them. */
  readonly #spare: SampleInputs[] = []

  constructor(runtime: RuntimeName) {
    if (runtime === 'litert') void holdMachineCode()
    this.#worker = new Worker(ENTRY, { workerData: { runtime } })
    this.#replies = new Replies(this.#worker)
  }

  /** @throws RuntimeError where the thread says no, or is gone */
  async ask<K extends FromLaboratory['kind']>(
    kind: K,
    message: ToLaboratory,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Extract<FromLaboratory, { kind: K }>> {
    this.#worker.postMessage(message, [...transfer])
    const reply = await this.#replies.next()
    if (reply.kind === kind) return reply as Extract<FromLaboratory, { kind: K }>
    const reason = reply.kind === 'failed' ? reply.message : `answered "${reply.kind}" out of turn`
    throw new RuntimeError('run-failed', reason)
  }

  /** Runs samples of which the first is the `first` of all. */
  async run(batch: readonly SampleInputs[], first: number): Promise<void> {
    const samples = batch.map((inputs) => refilled(this.#spare.pop(), inputs) ?? ownCopy(inputs))
    const message = { kind: 'run', samples, first } as const
    const { samples: back } = await this.ask('ran', message, buffersOf(samples))
    this.#spare.push(...back)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** A sample may be a view of the whole data set, which must not travel with it. */
export function ownCopy(inputs: SampleInputs): SampleInputs {
  return inputs.map((tensor) => ({ ...tensor, data: tensor.data.slice() }))
}

/** The sample in the memory of one of the same form; null where it does not fit. */
function refilled(spare: SampleInputs | undefined, inputs: SampleInputs): SampleInputs | null {
  const fits = inputs.every(({ type, data }, i) => {
    const other = spare?.[i]
    return other?.type === type && other.data.length === data.length
  })
  if (spare === undefined || !fits) return null
  return inputs.map((tensor, i) => {
    const { data } = spare[i] as (typeof inputs)[number]
    data.set(tensor.data as never)
    return { ...tensor, data }
  })
}
