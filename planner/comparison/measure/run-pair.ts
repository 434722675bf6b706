import type { Dataset } from '../../../shared/dataset/index.ts'
import { dequantized, type QualityRecord, QualityTally } from '../../../shared/measure/index.ts'
import type { TensorInfo } from '../../../shared/runtime/index.ts'
import type { Tensor } from '../../../shared/tensors.ts'
import type { TensorId } from '../../graph/index.ts'
import { ComparisonError } from '../errors.ts'
import type { Match } from '../match/match.ts'
import type { OpenedModel } from '../opened-model.ts'
import { PairStatistics, type PairSummary } from './pair-statistics.ts'
import type { Points } from './scatter.ts'
import { readingOf, representableBy, type Tap, tapsOf } from './taps.ts'
import { WatchedModel } from './watched-model.ts'

export interface MeasuredTap extends Tap {
  readonly summary: PairSummary
  readonly points: Points
}

export interface MeasuredPair {
  readonly taps: readonly MeasuredTap[]
  readonly quality: QualityRecord
}

/**
 * Runs both models side by side over the data in their real runtime and compares every activation on the way:
 * memory does not grow with the number of samples.
 * @throws ComparisonError, DatasetError
 */
export async function runPair(
  float: OpenedModel,
  quantized: OpenedModel,
  match: Match,
  dataset: Dataset,
  onSample: (done: number, total: number) => void,
): Promise<MeasuredPair> {
  const taps = tapsOf(float, quantized, match)
  const open: WatchedModel[] = []
  const watch = async (model: OpenedModel, tensors: readonly TensorId[]) => {
    const watched = await WatchedModel.open(model, dataset, tensors)
    open.push(watched)
    return watched
  }
  try {
    const ours = await watch(float, [...taps.map((tap) => tap.float.id), ...match.outputs.keys()])
    const theirs = await watch(quantized, [
      ...taps.map((tap) => tap.quantized.id),
      ...match.outputs.values(),
    ])
    const statistics = taps.map(
      (tap, i) => new PairStatistics(representableBy(tap.quantized), dataset.samples, i),
    )
    const tally = new OutputTally(match, ours, theirs, dataset)
    for (let sample = 0; sample < dataset.samples; sample += 1) {
      const [a, b] = await Promise.all([ours.run(sample), theirs.run(sample)])
      taps.forEach((tap, i) => {
        addPair(statistics[i] as PairStatistics, tap, a, b)
      })
      tally.add(sample, a, b)
      onSample(sample + 1, dataset.samples)
    }
    return {
      taps: taps.map((tap, i) => {
        const seen = statistics[i] as PairStatistics
        return { ...tap, summary: seen.summary(), points: seen.points() }
      }),
      quality: tally.record(),
    }
  } finally {
    await Promise.all(open.map((model) => model.close()))
  }
}

type Values = ReadonlyMap<TensorId, Tensor>

function addPair(statistics: PairStatistics, tap: Tap, float: Values, quantized: Values): void {
  const a = float.get(tap.float.id)?.data as Float32Array | undefined
  const b = quantized.get(tap.quantized.id)?.data as Int8Array | undefined
  if (a === undefined || b === undefined) return
  if (a.length !== b.length) {
    throw new ComparisonError(
      'models-differ',
      `"${tap.float.name}" has ${a.length} numbers in the float model but ${b.length} in the quantized one: they are no forms of one model`,
    )
  }
  statistics.add(a, readingOf(tap.float), b, readingOf(tap.quantized))
}

/** Answers of the models as `fitment evaluate` judges them, from the same runs. */
class OutputTally {
  readonly #pairs: readonly (readonly [TensorId, TensorInfo, TensorId, TensorInfo])[]
  readonly #tally: QualityTally

  constructor(match: Match, ours: WatchedModel, theirs: WatchedModel, dataset: Dataset) {
    this.#pairs = [...match.outputs].flatMap(([float, quantized]) => {
      const [a, b] = [ours.infoOf(float), theirs.infoOf(quantized)]
      return a === undefined || b === undefined ? [] : [[float, a, quantized, b] as const]
    })
    this.#tally = new QualityTally(
      this.#pairs.map(([, , , info]) => info),
      dataset.labels,
    )
  }

  add(sample: number, float: Values, quantized: Values): void {
    const outputs: Record<string, Tensor> = {}
    const expected = new Map<string, ArrayLike<number>>()
    for (const [a, aInfo, b, bInfo] of this.#pairs) {
      outputs[bInfo.name] = quantized.get(b) as Tensor
      expected.set(bInfo.name, dequantized(aInfo, float.get(a) as Tensor))
    }
    this.#tally.add(sample, outputs, expected)
  }

  record(): QualityRecord {
    return this.#tally.record()
  }
}
