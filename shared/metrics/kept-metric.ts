import type { Tensor } from '../tensors.ts'
import { MetricError } from './errors.ts'
import type { Metric } from './metric.ts'
import { builtInMetric } from './read-metric.ts'

/** The name behind `y.` of the array that says what a data set is judged by. */
export const KEPT = 'metric'

/** Parameters that name files of whoever asked: nobody else has them. */
const FILES = /,\s*anchors\s*=/

/**
 * A metric's text beside the labels, once a sample as all arrays are: who gets the data judges by it.
 * @throws MetricError `bad-parameter` where it names a file
 */
export function keepMetric({ text }: Pick<Metric, 'text'>, samples: number): Tensor {
  if (FILES.test(text)) {
    throw new MetricError(
      'bad-parameter',
      'a file of anchors does not travel to devices: give them as an array "y.anchors" of the data instead',
    )
  }
  const row = Buffer.from(text, 'utf8')
  const data = new Uint8Array(samples * row.length)
  for (let sample = 0; sample < samples; sample += 1) data.set(row, sample * row.length)
  return { type: 'uint8', shape: [samples, row.length], data }
}

/** Undefined where the data says nothing, or names a metric of a later version. */
export function keptMetric(truth: ReadonlyMap<string, Tensor>): Metric | undefined {
  const kept = truth.get(KEPT)
  if (kept === undefined) return undefined
  const row = Array.from(kept.data.subarray(0, kept.shape[1] ?? 0), Number)
  try {
    return builtInMetric(Buffer.from(row).toString('utf8'))
  } catch (error) {
    if (error instanceof MetricError) return undefined
    throw error
  }
}
