import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { RuntimeError, type RuntimeName, type TensorInfo } from '../../../shared/runtime/index.ts'
import type { Summarised } from '../../formats/quantizable.ts'
import type { ObserverPlan } from '../calibrate/observer.ts'
import type {
  Answer,
  FromLaboratory,
  ObserverReport,
  SampleInputs,
  ToLaboratory,
} from './messages.ts'
import { Replies } from './replies.ts'

const ENTRY = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

/** Samples per message, and messages under way: the thread never waits, and memory stays flat. */
const BATCH = 8
const IN_FLIGHT = 2

/** Samples to run, made one at a time when their turn comes. */
export interface SampleSource {
  readonly count: number
  at(sample: number): SampleInputs
}

/** A runtime in a thread of its own, in which models are run, and watched, one after the other. */
export class Laboratory {
  readonly #worker: Worker
  readonly #replies: Replies

  /** Starts the runtime at once; the first `load` waits for it. */
  constructor(runtime: RuntimeName) {
    this.#worker = new Worker(ENTRY, { workerData: { runtime } })
    this.#replies = new Replies(this.#worker)
  }

  /** The model's inputs. @throws RuntimeError */
  async load(model: Uint8Array): Promise<readonly TensorInfo[]> {
    this.#worker.postMessage({ kind: 'load', model, observed: [] } satisfies ToLaboratory)
    return (await this.#expect('loaded')).inputs
  }

  /** An instrumented model, perhaps with constants beside it. @throws RuntimeError */
  async observe(
    model: Uint8Array,
    observed: readonly ObserverPlan[],
    data?: Summarised['data'],
  ): Promise<void> {
    const folder = data && (await mkdtemp(join(tmpdir(), 'fitment-constants-')))
    try {
      if (folder && data) await writeConstants(join(folder, data.name), data.pieces)
      const message: ToLaboratory = { kind: 'load', model, observed, ...(folder && { folder }) }
      this.#worker.postMessage(message)
      await this.#expect('loaded')
    } finally {
      // The runtime has read it, or holds it open.
      if (folder) await rm(folder, { recursive: true, force: true })
    }
  }

  /** Runs all samples through the loaded model. @throws RuntimeError */
  async run(samples: SampleSource, onRan: (samples: number) => void = () => {}): Promise<void> {
    let sent = 0
    const sendBatch = () => {
      if (sent >= samples.count) return
      const size = Math.min(BATCH, samples.count - sent)
      this.#send(Array.from({ length: size }, (_, i) => ownCopy(samples.at(sent + i))))
      sent += size
    }
    for (let i = 0; i < IN_FLIGHT; i += 1) sendBatch()
    for (let ran = 0; ran < samples.count; ) {
      ran += (await this.#expect('ran')).samples
      onRan(ran)
      sendBatch()
    }
  }

  /** What the loaded model, with float outputs, answers to a few samples. @throws RuntimeError */
  async answer(samples: readonly SampleInputs[]): Promise<readonly Answer[]> {
    const copies = samples.map(ownCopy)
    const buffers = copies.flat().map((tensor) => tensor.data.buffer as ArrayBuffer)
    this.#worker.postMessage({ kind: 'answer', samples: copies } satisfies ToLaboratory, buffers)
    return (await this.#expect('answered')).answers
  }

  /** What the observers of the loaded model saw. @throws RuntimeError */
  async report(): Promise<ObserverReport> {
    this.#worker.postMessage({ kind: 'report' } satisfies ToLaboratory)
    return await this.#expect('reported')
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #send(samples: SampleInputs[]): void {
    const buffers = samples.flat().map((tensor) => tensor.data.buffer as ArrayBuffer)
    this.#worker.postMessage({ kind: 'run', samples } satisfies ToLaboratory, buffers)
  }

  async #expect<K extends FromLaboratory['kind']>(
    kind: K,
  ): Promise<Extract<FromLaboratory, { kind: K }>> {
    const reply = await this.#replies.next()
    if (reply.kind === kind) return reply as Extract<FromLaboratory, { kind: K }>
    const reason = reply.kind === 'failed' ? reply.message : `answered "${reply.kind}" out of turn`
    throw new RuntimeError('run-failed', reason)
  }
}

/** A sample may be a view of the whole data set, which must not travel with it. */
function ownCopy(inputs: SampleInputs): SampleInputs {
  return inputs.map((tensor) => ({ ...tensor, data: tensor.data.slice() }))
}

async function writeConstants(
  path: string,
  pieces: NonNullable<Summarised['data']>['pieces'],
): Promise<void> {
  const file = await open(path, 'w')
  try {
    for (const { bytes, offset } of pieces) await file.write(bytes, 0, bytes.length, offset)
  } finally {
    await file.close()
  }
}
