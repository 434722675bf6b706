import type { QualityRecord } from '../../shared/measure/index.ts'
import { lossOf } from '../../shared/metrics/index.ts'
import type { Measured } from '../selection/index.ts'
import type { TargetName } from '../targets/index.ts'
import { isBehind } from './attempts.ts'
import { median } from './median.ts'
import { type Difference, differenceFrom } from './same-samples.ts'
import type { ClassSummary, DeviceRecord } from './summarise.ts'

export interface RowInput {
  readonly key: string
  readonly scheme: string
  readonly runtime: TargetName
  readonly bytes: number
  readonly summary: ClassSummary
  /** Key of float32 on the same runtime and delegate; its own for float32 itself. */
  readonly yardstick: string | null
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
    latency: latencyOf(input),
    yardstick: input.yardstick,
    memoryBytes: summary.memoryBytes,
    quality: quality.figures,
    devices: summary.devices,
    notes: [...summary.notes, ...quality.notes],
  }
}

/** float32 is its own measure. */
function latencyOf({ key, yardstick, summary: { latency } }: RowInput): Measured['latency'] {
  if (key !== yardstick) return latency
  const ratio = { p50: 1, ci95: [1, 1] as [number, number] }
  return { ...latency, ratio, on: latency.on.map((one) => ({ ...one, ratio })) }
}

/** A difference between host and devices worth telling people. */
const REMARKABLE = 0.005
/** Below this probability it is hardly chance. */
const SHOWN = 0.05

function estimate(
  { whole, slice }: RowInput['host'],
  { records }: ClassSummary,
): { figures: Measured['quality']; notes: string[] } {
  // Of one sample nothing is said.
  const differences = records
    .filter((one) => !isBehind(one))
    .flatMap(
      ({ device, record }) => differenceFrom(slice, record.quality) ?? unsaid(device, record),
    )
  const lost = (read: (one: Difference) => number | null) =>
    median(differences.flatMap((one) => (isDifference(one) ? (read(one) ?? []) : []))) ?? 0
  const figures = {
    accuracy: whole.accuracy === null ? null : clamp(whole.accuracy - lost((d) => d.accuracy)),
    agreement: whole.agreement === null ? null : clamp(whole.agreement - lost((d) => d.agreement)),
    sqnrDb: whole.sqnrDb === null ? null : whole.sqnrDb - lost((d) => d.sqnrDb),
  }
  const byLabels = whole.accuracy !== null && whole.referenceAccuracy !== null
  const notes = [
    ...remarks(differences.filter(isDifference), byLabels),
    ...differences.flatMap((one) => (isDifference(one) ? [] : [one.unsaid])),
  ]
  const byMetric = metricFigures(whole, slice, metricOn(slice, records))
  if (byMetric !== null) return { figures: { ...figures, ...byMetric }, notes }
  if (byLabels) {
    const drop =
      (whole.referenceAccuracy ?? 0) - (whole.accuracy ?? 0) + lost(({ accuracy }) => accuracy)
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

/** What devices reach that answered the whole slice: a metric of fewer samples is of others. */
function metricOn(slice: QualityRecord, records: readonly DeviceRecord[]): number | null {
  const whole = records.filter(({ record }) => record.quality.samples === slice.samples)
  return median(whole.flatMap(({ record }) => record.quality.metric?.value ?? [])) ?? null
}

interface Unsaid {
  readonly unsaid: string
}

/** A device that ran out of time says how many samples it answered, and no more. */
function unsaid(device: string, { quality }: DeviceRecord['record']): Unsaid {
  return {
    unsaid: `${device} answered ${quality.samples} samples and does not say which: its answers are not compared`,
  }
}

function isDifference(one: Difference | Unsaid): one is Difference {
  return 'samples' in one
}

function remarks(differences: readonly Difference[], byLabels: boolean): string[] {
  const told = differences.flatMap((one) => {
    const lost = byLabels ? one.accuracy : one.agreement
    return lost !== null && Math.abs(lost) >= REMARKABLE ? [{ ...one, lost }] : []
  })
  const middle = median(told.map(({ lost }) => lost))
  const one = told.find(({ pValue }) => pValue < SHOWN) ?? told[0]
  if (one === undefined || middle === undefined || Math.abs(middle) < REMARKABLE) return []
  const how = `${(100 * Math.abs(middle)).toFixed(1)} pt ${middle > 0 ? 'worse' : 'better'}`
  const sure = one.pValue < SHOWN ? '' : ', which may be chance'
  return [
    `devices answer ${how} than this host on the same ${one.samples} samples (McNemar p = ${one.pValue.toPrecision(2)}${sure})`,
  ]
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share))
}
