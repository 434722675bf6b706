import { classOf } from './classes.ts'
import { MetricError } from './errors.ts'
import type { Answer, Meter, RealOutput } from './meter.ts'
import { outputOf, truthOf } from './truth.ts'

/** Scores of one class on all samples, and which of them should be high. */
interface Column {
  readonly scores: number[]
  readonly positive: boolean[]
}

/**
 * Area under the ROC curve: how often a positive sample scores higher than a negative one, ties counting half (Mann and
 * Whitney 1947). One score: labels 0 and 1. Several: each class against the rest, and their mean; labels are a class, or
 * 0 and 1 of each. All scores are kept.
 */
export function areaUnderCurve(output: string | null): Meter {
  const columns: Column[] = []
  return {
    add(answer) {
      const judged = outputOf(answer, output)
      positivesOf(answer, judged).forEach((isPositive, at) => {
        columns[at] ??= { scores: [], positive: [] }
        columns[at].scores.push(judged.values[at] as number)
        columns[at].positive.push(isPositive)
      })
    },
    score: () => {
      const areas = columns.flatMap((column) => areaOf(column) ?? [])
      if (areas.length > 0) return { value: areas.reduce((a, b) => a + b, 0) / areas.length }
      throw new MetricError(
        'unmeasurable',
        'every sample has the same label: an area under the curve needs both kinds',
      )
    },
  }
}

function positivesOf(answer: Answer, judged: RealOutput): boolean[] {
  const truth = truthOf(answer, '', '0 or 1, or a class index')
  const count = judged.values.length
  const binary = count === 1 || truth.values.length === count
  if (!binary) {
    const label = classOf(truth, judged)
    return Array.from({ length: count }, (_, at) => at === label)
  }
  const labels = Array.from(truth.values)
  if (labels.length === count && labels.every((label) => label === 0 || label === 1))
    return labels.map((label) => label === 1)
  throw new MetricError(
    'wrong-labels',
    `a label is ${labels[0] ?? 'missing'}, and the model gives ${count} score${count === 1 ? '' : 's'}: give 0 or 1 for each`,
  )
}

/** Null where all are of one kind; NaN ranks below everything. */
function areaOf({ scores, positive }: Column): number | null {
  const value = (i: number) => {
    const score = scores[i] as number
    return Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score
  }
  const order = scores.map((_, i) => i).sort((a, b) => value(a) - value(b) || 0)
  let [rankSum, positives] = [0, 0]
  for (let start = 0; start < order.length; ) {
    let end = start
    while (end < order.length && value(order[end] as number) === value(order[start] as number))
      end += 1
    // Equal scores share the mean of their ranks, which count from 1.
    const rank = (start + end + 1) / 2
    for (const i of order.slice(start, end)) {
      if (!positive[i]) continue
      rankSum += rank
      positives += 1
    }
    start = end
  }
  const negatives = scores.length - positives
  if (positives === 0 || negatives === 0) return null
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}
