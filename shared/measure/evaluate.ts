import type { Dataset } from '../dataset/dataset.ts'
import { samplesFor } from '../dataset/samples.ts'
import type { Session } from '../runtime/runtime.ts'
import type { QualityRecord } from './quality-record.ts'
import { QualityTally } from './quality-tally.ts'
import { referenceOutputs } from './reference.ts'

export interface EvaluateOptions {
  /** The float model, run beside this one; without it the data's own `reference` arrays serve. */
  readonly reference?: Session
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
  for (let i = 0; i < samples.count; i++) {
    const outputs = await session.run(samples.at(i))
    tally.add(i, outputs, await referenceAt(i))
    options.onProgress?.(i + 1, samples.count)
  }
  return tally.record()
}
