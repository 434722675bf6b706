import { MetricError } from './errors.ts'
import type { Answer, RealArray, RealOutput } from './meter.ts'

/** Labels of a sample. @throws MetricError `missing-labels` */
export function truthOf({ truth }: Answer, name: string, what: string): RealArray {
  const found = truth.get(name)
  if (found !== undefined) return found
  const key = name === '' ? 'y' : `y.${name}`
  throw new MetricError(
    'missing-labels',
    `the data has no array "${key}": this metric needs ${what} there, or labels in files`,
    { key },
  )
}

/**
 * Labels where the data has some of that size, else what the float model answers.
 * @throws MetricError `missing-labels`, `wrong-labels`
 */
export function truthOrReference(answer: Answer, output: RealOutput): ArrayLike<number> {
  const labels = answer.truth.get('')?.values
  const reference = answer.reference?.get(output.name)
  const count = output.values.length
  const wanted = labels?.length === count ? labels : (reference ?? labels)
  if (wanted?.length === count) return wanted
  if (wanted === undefined) {
    throw new MetricError(
      'missing-labels',
      'this metric compares with an array "y" of the data, or with the float model: give one of them (--reference)',
    )
  }
  throw new MetricError(
    'wrong-labels',
    `output "${output.name}" has ${count} numbers a sample, and what it should be has ${wanted.length}: name the float model with --reference, or give labels of that size`,
  )
}

/** The output a metric judges: by name, else the first. @throws MetricError `wrong-outputs` */
export function outputOf({ outputs }: Answer, name: string | null): RealOutput {
  const found = name === null ? outputs[0] : outputs.find((one) => one.name === name)
  if (found !== undefined) return found
  throw new MetricError(
    'wrong-outputs',
    `the model has no output "${name ?? ''}": it has ${outputs.map((one) => `"${one.name}"`).join(', ') || 'none'}`,
  )
}

/** Dimensions other than one, and where all are one, one of them. */
export function wideShape(shape: readonly number[]): readonly number[] {
  const wide = shape.filter((dim) => dim !== 1)
  return wide.length === 0 ? [1] : wide
}

export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'one number' : shape.join('×')
}
