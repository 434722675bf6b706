import type { Dataset } from '../dataset/index.ts'
import { samplesFor } from '../dataset/index.ts'
import { keptMetric, type Metric } from '../metrics/index.ts'
import type { Session } from '../runtime/index.ts'
import { MetricTally } from './metric-tally.ts'
import type { MetricScore, QualityRecord } from './quality-record.ts'
import { QualityTally } from './quality-tally.ts'
import { referenceOutputs } from './reference.ts'

export interface EvaluateOptions {
  /** The float model, run beside this one; without it the data's own `reference` arrays serve. */
  readonly reference?: Session
  /** Samples not reached by then are left out, and `samples` counts the rest; those visited are spread over the set. */
  readonly stopAfterMs?: number
  /** In the place of the one that the data names. Measured beside the rest, for the float model's answers too where they are known. */
  readonly metric?: Metric
  /** Keep the error of each sample too. */
  readonly energies?: boolean
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Runs a model over a data set, one sample at a time: memory does not grow with the number of samples.
 * @throws DatasetError where data and model do not fit, RuntimeError, MetricError
 */
export async function evaluate(
  session: Session,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<QualityRecord> {
  const samples = samplesFor(dataset, session.inputs)
  const referenceAt = referenceOutputs(session, dataset, options.reference)
  const { stopAfterMs = Number.POSITIVE_INFINITY } = options
  const metric = options.metric ?? keptMetric(dataset.truth)
  const tally = new QualityTally(session.outputs, dataset.labels)
  const metricTally = metric && new MetricTally(metric, session, dataset)
  const deadline = performance.now() + stopAfterMs
  const step = options.stopAfterMs === undefined ? 1 : spreadingStep(samples.count)
  try {
    for (let turn = 0; turn < samples.count; turn++) {
      if (turn > 0 && performance.now() > deadline) break
      const sample = (turn * step) % samples.count
      const outputs = await session.run(samples.at(sample))
      const reference = await referenceAt(sample)
      tally.add(sample, outputs, reference)
      await metricTally?.add(sample, outputs, reference)
      options.onProgress?.(turn + 1, samples.count)
    }
    const record = tally.record({ energies: options.energies ?? false })
    if (metricTally === undefined) return record
    const notes = record.notes.filter(({ code }) => !OF_CLASSES.has(code))
    return { ...record, metric: await metricTally.score(), notes }
  } finally {
    await metricTally?.close()
  }
}

export interface MetricOptions extends Pick<EvaluateOptions, 'reference' | 'onProgress'> {
  /** Whether to measure the float model's answers too, where they are known; so it is where absent. */
  readonly ofReference?: boolean
}

/**
 * The metric alone, which takes much less than all the rest of a record.
 * @throws DatasetError where data and model do not fit, RuntimeError, MetricError
 */
export async function evaluateMetric(
  session: Session,
  dataset: Dataset,
  metric: Metric,
  { reference, ofReference = true, onProgress }: MetricOptions = {},
): Promise<MetricScore> {
  const samples = samplesFor(dataset, session.inputs)
  const referenceAt = referenceOutputs(session, dataset, reference)
  const tally = new MetricTally(metric, session, dataset, ofReference)
  try {
    for (let sample = 0; sample < samples.count; sample++) {
      await tally.add(sample, await session.run(samples.at(sample)), await referenceAt(sample))
      onProgress?.(sample + 1, samples.count)
    }
    return await tally.score()
  } finally {
    await tally.close()
  }
}

/** Who asked for another metric need not be told that classes cannot be counted. */
const OF_CLASSES: ReadonlySet<string> = new Set(['no-labels', 'no-classes'])

/** Coprime to the count and near its golden section: any number of steps visits all parts of a sorted set alike. */
function spreadingStep(count: number): number {
  let step = Math.max(1, Math.round(count * 0.618))
  while (greatestCommonDivisor(step, count) !== 1) step += 1
  return step
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
