import { type Dataset, pickSamples } from '../../../../shared/dataset/index.ts'

/** As many samples as asked for, the given ones over and over. */
export function repeated(dataset: Dataset, count: number): Dataset {
  return pickSamples(
    dataset,
    Array.from({ length: count }, (_, i) => i % dataset.samples),
  )
}
