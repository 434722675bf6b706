import type { Dataset } from '../dataset/index.ts'
import { samplesFor } from '../dataset/index.ts'
import type { Session } from '../runtime/index.ts'
import type { QualityRecord } from './quality-record.ts'
import { QualityTally } from './quality-tally.ts'
import { referenceOutputs } from './reference.ts'

export interface EvaluateOptions {
  /** The float model, run beside this one; without it the data's own `reference` arrays serve. */
  readonly reference?: Session
  /** Samples not reached by then are left out, and `samples` counts the rest; those visited are spread over the set. */
  readonly stopAfterMs?: number
  /** Keep the error of each sample too. */
  readonly energies?: boolean
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Runs a model over a data set, one sample at a time: memory does not grow with the number of samples.
 * @throws DatasetError where data and model do not fit, RuntimeError
 */
export async function evaluate(
  session: Session,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<QualityRecord> {
  const samples = samplesFor(dataset, session.inputs)
  const referenceAt = referenceOutputs(session, dataset, options.reference)
  const tally = new QualityTally(session.outputs, dataset.labels)
  const deadline = performance.now() + (options.stopAfterMs ?? Number.POSITIVE_INFINITY)
  const step = options.stopAfterMs === undefined ? 1 : spreadingStep(samples.count)
  for (let turn = 0; turn < samples.count; turn++) {
    if (turn > 0 && performance.now() > deadline) break
    const sample = (turn * step) % samples.count
    tally.add(sample, await session.run(samples.at(sample)), await referenceAt(sample))
    options.onProgress?.(turn + 1, samples.count)
  }
  return tally.record({ energies: options.energies ?? false })
}

/** Coprime to the count and near its golden section: any number of steps visits all parts of a sorted set alike. */
function spreadingStep(count: number): number {
  let step = Math.max(1, Math.round(count * 0.618))
  while (greatestCommonDivisor(step, count) !== 1) step += 1
  return step
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
