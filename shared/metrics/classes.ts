import { MetricError } from './errors.ts'
import type { Answer, Meter, RealArray, RealOutput } from './meter.ts'
import { argmax } from './real-outputs.ts'
import { outputOf, truthOf } from './truth.ts'

/** Share of the samples whose class is among the k with the largest scores. */
export function topK(k: number, output: string | null): Meter {
  let [right, samples] = [0, 0]
  return {
    add(answer) {
      const scored = scoresOf(answer, output)
      const label = classOf(truthOf(answer, '', 'a class index'), scored)
      samples += 1
      if (rankOf(scored.values, label) < k) right += 1
    },
    score: () => ({ value: right / samples }),
  }
}

/** Share of the samples where this model and the float one name the same class. */
export function agreement(output: string | null): Meter {
  let [agreed, samples] = [0, 0]
  return {
    add(answer) {
      const scored = scoresOf(answer, output)
      const other = answer.reference?.get(scored.name)
      if (other === undefined) {
        throw new MetricError(
          'missing-labels',
          'agreement compares with the float model: name it with --reference, or keep its answers in the data as "reference"',
        )
      }
      const mine = argmax(scored.values)
      samples += 1
      if (mine >= 0 && mine === argmax(other)) agreed += 1
    },
    score: () => ({ value: agreed / samples }),
  }
}

/** An output that scores at least two classes. @throws MetricError `wrong-outputs` */
export function scoresOf(answer: Answer, name: string | null): RealOutput {
  const scored = outputOf(answer, name)
  if (scored.shape.filter((dim) => dim !== 1).length === 1 && scored.values.length > 1)
    return scored
  throw new MetricError(
    'wrong-outputs',
    `output "${scored.name}" is ${scored.shape.join('×')} and does not score classes: name another with output=NAME, or choose a metric for what it is`,
  )
}

/** @throws MetricError `wrong-labels` */
export function classOf(truth: RealArray, { values }: { values: ArrayLike<number> }): number {
  const label = truth.values.length === 1 ? truth.values[0] : hotOf(truth.values)
  if (label !== undefined && Number.isInteger(label) && label >= 0 && label < values.length)
    return label
  throw new MetricError(
    'wrong-labels',
    label === undefined
      ? 'a label is neither a class index nor a one-hot row: they belong to another metric'
      : `label ${label} is none of the model's ${values.length} classes: the labels belong to another model`,
  )
}

function hotOf(row: ArrayLike<number>): number | undefined {
  const hot = Array.from(row).flatMap((value, i) => (value !== 0 ? [i] : []))
  return hot.length === 1 ? hot[0] : undefined
}

/** How many score higher, or as high and come first; none is right where a score is NaN. */
function rankOf(scores: ArrayLike<number>, label: number): number {
  const own = scores[label] as number
  let better = 0
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] as number
    if (Number.isNaN(score)) return Number.POSITIVE_INFINITY
    if (score > own || (score === own && i < label)) better += 1
  }
  return better
}
