import type { QualityRecord } from '../../shared/measure/index.ts'
import { lossOf } from '../../shared/metrics/index.ts'
import type { Measured } from '../selection/index.ts'
import type { TargetName } from '../targets/index.ts'
import type { ClassSummary } from './summarise.ts'

export interface RowInput {
  readonly key: string
  readonly scheme: string
  readonly runtime: TargetName
  readonly bytes: number
  readonly summary: ClassSummary
  /** It is the float32 that the others were measured beside. */
  readonly isBaseline: boolean
  /** What the variant answered on this host: over the whole test set, and over the slice devices have. */
  readonly host: { readonly whole: QualityRecord; readonly slice: QualityRecord }
}

/**
 * A candidate for the selection. What it loses is estimated over the whole test set on this host, then
 * corrected by how the devices' answers on the slice differ from this host's on the same slice: the slice
 * alone would be too small to tell a point, and the host alone would miss what a device's kernels do.
 * (A control variate: the estimate stays unbiased, and the slice's own noise cancels.)
 */
export function measuredRow(input: RowInput): Measured {
  const { host, summary } = input
  const quality = estimate(host, summary)
  return {
    key: input.key,
    scheme: input.scheme,
    runtime: input.runtime,
    bytes: input.bytes,
    latency: { ...summary.latency, ratio: ratioOf(input) },
    memoryBytes: summary.memoryBytes,
    quality: quality.figures,
    devices: summary.devices,
    notes: [...summary.notes, ...quality.notes],
  }
}

/** The baseline is its own measure. */
function ratioOf({ isBaseline, summary }: RowInput): Measured['latency']['ratio'] {
  return isBaseline ? { p50: 1, ci95: [1, 1] } : summary.latency.ratio
}

/** A difference between host and devices worth telling people. */
const REMARKABLE = 0.005

function estimate(
  { whole, slice }: RowInput['host'],
  { quality: device }: ClassSummary,
): { figures: Measured['quality']; notes: string[] } {
  const byMetric = metricFigures(whole, slice, device.metric)
  const byLabels = whole.accuracy !== null && whole.referenceAccuracy !== null
  const shift = byLabels
    ? difference(slice.accuracy, device.accuracy)
    : difference(slice.agreement, device.agreement)
  const accuracy = whole.accuracy === null ? null : clamp(whole.accuracy - shift)
  const notes =
    Math.abs(shift) < REMARKABLE
      ? []
      : [
          `devices answer ${(100 * Math.abs(shift)).toFixed(1)} pt ${shift > 0 ? 'worse' : 'better'} than this host`,
        ]
  const figures = {
    accuracy,
    agreement:
      whole.agreement === null
        ? null
        : clamp(whole.agreement - difference(slice.agreement, device.agreement)),
    sqnrDb: device.sqnrDb ?? whole.sqnrDb,
  }
  if (byMetric !== null) return { figures: { ...figures, ...byMetric }, notes }
  if (byLabels) {
    const drop = (whole.referenceAccuracy ?? 0) - (whole.accuracy ?? 0) + shift
    return { figures: { basis: 'labels', drop, ...figures }, notes }
  }
  if (figures.agreement !== null) {
    return { figures: { basis: 'agreement', drop: 1 - figures.agreement, ...figures }, notes }
  }
  const basis = figures.sqnrDb === null ? 'none' : 'sqnr'
  return { figures: { basis, drop: null, ...figures }, notes }
}

/** The metric's own loss on this host, shifted by what devices lose more on the slice. */
function metricFigures(
  { metric }: QualityRecord,
  slice: QualityRecord,
  device: number | null,
): Pick<Measured['quality'], 'basis' | 'drop' | 'metric'> | null {
  if (metric === undefined || metric.value === null || metric.reference === null) return null
  const here = slice.metric?.value ?? null
  const shift = here === null || device === null ? 0 : device - here
  const value = metric.value + shift
  const { text, direction, unit } = metric
  return {
    basis: 'metric',
    drop: lossOf(metric, metric.reference, value),
    metric: { text, direction, unit, value },
  }
}

function difference(host: number | null, device: number | null): number {
  return host === null || device === null ? 0 : host - device
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share))
}
