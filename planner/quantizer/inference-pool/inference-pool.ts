import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import type { ObserverPlan, SeenShapes, Summarised, TensorId } from '../../graph/index.ts'
import { mergeStatistics } from '../observers/merge.ts'
import { inScratch } from '../scratch.ts'
import type { SampleSource } from './messages.ts'
import {
  type Answer,
  buffersOf,
  type Ends,
  type FromPool,
  type LoadWishes,
  type ObserverReport,
  type PoolTask,
  type SampleInputs,
  type ToPool,
} from './messages.ts'
import { ownCopy, PoolWorker } from './pool-worker.ts'

/** Samples per message, and messages under way to each thread: none ever waits, and memory stays flat. */
const BATCH = 8
const IN_FLIGHT = 2

/**
 * A runtime in threads of its own, in which models are run, and watched, one after the other. Two workers share the
 * samples.
 */
export class InferencePool {
  readonly #workers: readonly PoolWorker[]
  readonly #usual: LoadWishes

  /**
   * Starts the runtime at once; the first `load` waits for it.
   * @param usual what is wished of every load that does not say otherwise
   */
  constructor(task: PoolTask, copies: 1 | 2 = 1, usual: LoadWishes = {}) {
    this.#usual = usual
    this.#workers = Array.from({ length: copies }, () => new PoolWorker(task))
  }

  /** The model's inputs. @throws RuntimeError */
  async load(
    model: Uint8Array,
    wishes: LoadWishes = this.#usual,
    observed: readonly ObserverPlan[] = [],
  ): Promise<readonly TensorInfo[]> {
    return (await this.open(model, wishes, observed)).inputs
  }

  /** The same with both of the model's ends. @throws RuntimeError */
  async open(
    model: Uint8Array,
    wishes: LoadWishes = this.#usual,
    observed: readonly ObserverPlan[] = [],
  ): Promise<Ends> {
    const [loaded] = await this.#askAll('loaded', { kind: 'load', model, observed, wishes })
    return { inputs: loaded?.inputs ?? [], outputs: loaded?.outputs ?? [] }
  }

  /** Runs all samples through the loaded model. @throws RuntimeError */
  async run(samples: SampleSource): Promise<void> {
    await share(samples, this.#workers, () => {})
  }

  /** What the loaded model, with float outputs, answers to a few samples. @throws RuntimeError */
  async answer(samples: readonly SampleInputs[]): Promise<readonly Answer[]> {
    const share = Math.ceil(samples.length / this.#workers.length)
    const parts = this.#workers.map((_, i) =>
      samples.slice(i * share, (i + 1) * share).map(ownCopy),
    )
    const answered = await Promise.all(
      this.#workers.map((worker, i) => {
        const part = parts[i] ?? []
        return worker.ask('answered', { kind: 'answer', samples: part }, buffersOf(part))
      }),
    )
    return answered.flatMap(({ answers }) => answers)
  }

  /**
   * What observers see of an instrumented model, perhaps with constants beside it, on all samples.
   * @param onRan called with 0 when the runtime has begun
   * @throws RuntimeError, QuantizerError `no-scratch-space`
   */
  async watch(
    summarised: Summarised,
    samples: SampleSource,
    onRan: (samples: number) => void,
  ): Promise<ObserverReport> {
    await this.#loadSummarised(summarised, onRan)
    await share(samples, this.#workers, onRan)
    const reports = await this.#askAll('reported', { kind: 'report' })
    return {
      statistics: mergeStatistics(reports.map(({ statistics }) => statistics)),
      sharp: reports.every(({ sharp }) => sharp),
    }
  }

  /** Of what such a copy gives out whole, for one sample. @throws RuntimeError, QuantizerError `no-scratch-space` */
  async shapes(summarised: Summarised, sample: SampleInputs): Promise<SeenShapes> {
    await this.#loadSummarised(summarised, () => {})
    const [worker] = this.#workers
    const asked = await worker?.ask('shaped', { kind: 'shapes', sample: ownCopy(sample) })
    const seen = new Map<TensorId, readonly number[]>()
    let at = 0
    for (const { tensor, summary } of summarised.observed) {
      const shape = asked?.shapes[at]
      if (summary === undefined && shape !== undefined) seen.set(tensor, shape)
      at += summary?.length ?? 1
    }
    return seen
  }

  async #loadSummarised(
    { bytes, observed, data }: Summarised,
    onRan: (samples: number) => void,
  ): Promise<void> {
    const load = async (wishes: LoadWishes = {}) => {
      const loading = this.load(bytes, { ...this.#usual, ...wishes }, observed)
      // Awaited below, unless whoever is told has an error of its own.
      loading.catch(() => {})
      onRan(0)
      await loading
    }
    if (data === undefined) await load()
    else {
      await inScratch(data.size, async (constantsFolder) => {
        await writeConstants(join(constantsFolder, data.name), data.pieces)
        // Once loaded, the runtime has read them, or holds the file open.
        await load({ constantsFolder })
      })
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()))
  }

  #askAll<K extends FromPool['kind']>(kind: K, message: ToPool) {
    return Promise.all(this.#workers.map((worker) => worker.ask(kind, message)))
  }
}

/** Batches go round the workers in a fixed order: what each one sees does not depend on which is faster. */
async function share(
  samples: SampleSource,
  workers: readonly PoolWorker[],
  onRan: (samples: number) => void,
): Promise<void> {
  let ran = 0
  const work = async (worker: PoolWorker, first: number) => {
    const underWay: Promise<void>[] = []
    for (let start = first; start < samples.count; start += workers.length * BATCH) {
      const size = Math.min(BATCH, samples.count - start)
      if (underWay.length === IN_FLIGHT) await underWay.shift()
      const done = worker.run(samples, start, size).then(() => {
        ran += size
        onRan(ran)
      })
      // Awaited in its turn, which an earlier failure may prevent.
      done.catch(() => {})
      underWay.push(done)
    }
    for (const done of underWay) await done
  }
  await Promise.all(workers.map((worker, i) => work(worker, i * BATCH)))
}

async function writeConstants(
  path: string,
  pieces: NonNullable<Summarised['data']>['pieces'],
): Promise<void> {
  const file = await open(path, 'w')
  try {
    // All at once; a write may end early where the disk is nearly full, and the next one says so.
    await Promise.all(
      pieces.map(async ({ bytes, offset }) => {
        for (let done = 0; done < bytes.length; ) {
          const rest = bytes.length - done
          done += (await file.write(bytes, done, rest, offset + done)).bytesWritten
        }
      }),
    )
  } finally {
    await file.close()
  }
}
