import type { Tensor } from '../../shared/tensors.ts'

/**
 * What the runtime may tell of one activation of one sample, in this order; each as numbers of which the extremes count.
 * `min` and `max` are of all its numbers, and without `min` none is negative; `sum` is not finite where any number is
 * not; `values` are numbers from evenly spread positions, or all.
 */
export const SUMMARY_PARTS = ['min', 'max', 'sum', 'values'] as const

export type SummaryPart = (typeof SUMMARY_PARTS)[number]

export type ActivationSummary = { readonly values: Float32Array } & {
  readonly [part in SummaryPart]?: Float32Array
}

export function summaryFrom(
  parts: readonly SummaryPart[],
  outputs: readonly Tensor[],
): ActivationSummary {
  const told = parts.map((part, i) => [part, outputs[i]?.data as Float32Array] as const)
  return { values: new Float32Array(0), ...Object.fromEntries(told) }
}
