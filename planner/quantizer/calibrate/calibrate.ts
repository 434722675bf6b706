import { type Dataset, DatasetError, samplesFor } from '../../../shared/dataset/index.ts'
import type { Finding } from '../../../shared/findings.ts'
import type { RuntimeName } from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { Entry, QuantizableModel } from '../../formats/quantizable.ts'
import { observe, type SampleSource } from './observe.ts'
import { TensorObserver } from './observer.ts'
import type { TensorStatistics } from './statistics.ts'

export interface Calibration {
  readonly statistics: readonly TensorStatistics[]
  readonly findings: readonly Finding[]
}

/**
 * Runs the model over the data in its real runtime and observes every activation; memory does not grow
 * with the number of samples.
 * @throws DatasetError when the data does not fit the model, QuantizerError when the model does not run.
 */
export async function calibrate(
  model: QuantizableModel,
  runtime: RuntimeName,
  dataset: Dataset,
  onSample: (done: number, total: number) => void,
): Promise<Calibration> {
  const statistics: TensorStatistics[] = []
  const findings: Finding[] = []
  for (const [at, entry] of model.entries.entries()) {
    const samples = samplesOf(entry, dataset, at === 0)
    if (samples === null) findings.push(notCalibrated(model, entry))
    else statistics.push(...(await calibrateEntry(model, entry, runtime, samples, onSample)))
  }
  return { statistics, findings }
}

async function calibrateEntry(
  model: QuantizableModel,
  entry: Entry,
  runtime: RuntimeName,
  samples: SampleSource,
  onSample: (done: number, total: number) => void,
): Promise<TensorStatistics[]> {
  const { bytes, outputs } = model.instrument(entry)
  const observed = outputs.map((tensor) => ({ tensor, channels: channelsOf(model, tensor) }))
  const inputs = new InputObservers(model, entry)
  const watched: SampleSource = {
    count: samples.count,
    at: (sample) => inputs.see(samples.at(sample)),
  }
  const statistics = await observe({ runtime, model: bytes, observed }, watched, (seen) =>
    onSample(seen, samples.count),
  )
  return [...inputs.results(), ...statistics]
}

/** Inputs are at hand before the runtime has them. */
class InputObservers {
  readonly #observers: readonly (TensorObserver | null)[]

  constructor(model: QuantizableModel, entry: Entry) {
    this.#observers = entry.tensors.map((tensor, i) =>
      entry.inputs[i]?.type === 'float32'
        ? new TensorObserver(tensor, channelsOf(model, tensor))
        : null,
    )
  }

  see(inputs: readonly Tensor[]): readonly Tensor[] {
    inputs.forEach((input, i) => {
      this.#observers[i]?.see(input.data as Float32Array)
    })
    return inputs
  }

  results(): TensorStatistics[] {
    return this.#observers.flatMap((observer) => observer?.result() ?? [])
  }
}

/** The data must fit the first entry; another that it does not fit stays without calibration. */
function samplesOf(entry: Entry, dataset: Dataset, first: boolean): SampleSource | null {
  try {
    const samples = samplesFor(dataset, entry.inputs)
    return {
      count: samples.count,
      at: (sample) => {
        const byName = samples.at(sample)
        return entry.inputs.map((input) => byName[input.name] as Tensor)
      },
    }
  } catch (error) {
    if (first || !(error instanceof DatasetError)) throw error
    return null
  }
}

/** Readers of a tensor with a matrix product correct their bias by the means of its last dimension. */
function channelsOf({ graph }: QuantizableModel, tensor: number): number {
  const shape = graph.tensors[tensor]?.shape ?? []
  return Math.max(0, shape.at(-1) ?? 0)
}

function notCalibrated(model: QuantizableModel, entry: Entry): Finding {
  const name = model.graph.subgraphs[entry.subgraph]?.name ?? ''
  const inputs = entry.inputs.map((input) => `"${input.name}"`).join(', ')
  return {
    code: 'entry-not-calibrated',
    severity: 'warning',
    message: `the calibration data does not fit the inputs of "${name}" (${inputs}): its operators stay in float`,
    where: name,
  }
}
