import type { Tensor } from '../../../shared/tensors.ts'

/** What the runtime itself found out about one activation of one sample. */
export interface ActivationSummary {
  readonly min: number
  readonly max: number
  /** Not finite where any number is not; of rectified activations, any of `values`. */
  readonly sum: number
  /** Numbers at every nth position, or all. */
  readonly values: Float32Array
}

/** Outputs that stand for a summarised activation, in this order. */
export const SUMMARY_PARTS = ['min', 'max', 'sum', 'values'] as const

export function summaryFrom(outputs: readonly Tensor[]): ActivationSummary {
  const [min, max, sum, values] = outputs.map(({ data }) => data as Float32Array)
  return {
    min: min?.[0] ?? Number.NaN,
    max: max?.[0] ?? Number.NaN,
    sum: sum?.[0] ?? Number.NaN,
    values: values ?? new Float32Array(0),
  }
}
