import { type Dataset, type Samples, samplesFor } from '../../../shared/dataset/index.ts'
import { AppError, messageOf } from '../../../shared/errors.ts'
import { loadRuntime, type Session, type TensorInfo } from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { TensorId } from '../../graph/index.ts'
import { referenceTarget } from '../../targets/index.ts'
import { ComparisonError } from '../errors.ts'
import type { OpenedModel } from '../opened-model.ts'

/** A model loaded in its runtime that gives out chosen activations. */
export class WatchedModel {
  readonly #file: string
  readonly #session: Session
  readonly #samples: Samples
  /** Where each tensor is found after a run. */
  readonly #inputs: ReadonlyMap<TensorId, string>
  readonly #outputs: ReadonlyMap<TensorId, TensorInfo>

  private constructor(
    model: OpenedModel,
    session: Session,
    samples: Samples,
    watched: readonly TensorId[],
  ) {
    this.#file = model.file
    this.#session = session
    this.#samples = samples
    this.#inputs = new Map(
      model.entry.tensors.map((tensor, i) => [tensor, session.inputs[i]?.name ?? '']),
    )
    this.#outputs = new Map(
      watched.flatMap((tensor, i) => {
        const info = session.outputs[i]
        return info === undefined ? [] : [[tensor, info]]
      }),
    )
  }

  /** @throws ComparisonError `does-not-run`, DatasetError where the data does not fit */
  static async open(
    model: OpenedModel,
    dataset: Dataset,
    watched: readonly TensorId[],
  ): Promise<WatchedModel> {
    // By the names that data files use, which the instrumented copy has lost.
    const samples = samplesFor(dataset, model.entry.inputs)
    const { bytes, outputs } = model.model.instrument(model.entry, watched)
    const runtime = await loadRuntime(referenceTarget(model.format))
    const session = await running(model.file, () => runtime.load(bytes))
    return new WatchedModel(model, session, renamed(samples, model, session), outputs)
  }

  /** Elements of every watched tensor, and of the inputs, after one sample. */
  async run(sample: number): Promise<ReadonlyMap<TensorId, Tensor>> {
    const inputs = this.#samples.at(sample)
    const outputs = await running(this.#file, () => this.#session.run(inputs))
    return new Map([
      ...pick(this.#inputs, (name) => inputs[name]),
      ...pick(this.#outputs, (info) => outputs[info.name]),
    ])
  }

  /** How the runtime describes a watched tensor. */
  infoOf(tensor: TensorId): TensorInfo | undefined {
    return this.#outputs.get(tensor)
  }

  async close(): Promise<void> {
    await this.#session.close()
  }
}

function pick<V>(
  places: ReadonlyMap<TensorId, V>,
  find: (place: V) => Tensor | undefined,
): [TensorId, Tensor][] {
  return [...places].flatMap(([id, place]) => {
    const tensor = find(place)
    return tensor === undefined ? [] : [[id, tensor] as [TensorId, Tensor]]
  })
}

function renamed(samples: Samples, { entry }: OpenedModel, session: Session): Samples {
  return {
    count: samples.count,
    at: (sample) => {
      const given = samples.at(sample)
      return Object.fromEntries(
        session.inputs.map((info, i) => [info.name, given[entry.inputs[i]?.name ?? ''] as Tensor]),
      )
    },
  }
}

/** Two models run: an error has to say which one failed. */
async function running<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof AppError && cause.code === 'runtime-missing') throw cause
    throw new ComparisonError(
      'does-not-run',
      `${file} does not run with its activations given out: ${messageOf(cause)}`,
      {},
      { cause },
    )
  }
}
