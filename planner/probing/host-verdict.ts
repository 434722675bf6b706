import type { QualityRecord } from '../../shared/measure/index.ts'
import { lossOf } from '../../shared/metrics/index.ts'
import { wilson95 } from '../../shared/statistics/index.ts'
import { MIN_SQNR_DB, points } from '../selection/index.ts'

export type HostVerdict =
  | { readonly send: true }
  | { readonly send: false; readonly reason: string; readonly drop: number }

/** dB below the bound at which the signal is lost beyond what another device's rounding would change. */
const HOPELESS_DB = 6

/**
 * Whether a variant is worth a device's time. It is not when what it loses on this host is beyond the
 * budget even at the kind end of the 95 % interval: integer kernels give devices the same answers.
 */
export function judgeOnHost(quality: QualityRecord, maxAccuracyDrop: number): HostVerdict {
  if (quality.notFinite > 0) {
    const reason = `answers NaN or infinity on this host (${quality.notFinite} values)`
    return { send: false, reason, drop: 1 }
  }
  const lost = lostOnHost(quality)
  if (lost === undefined) {
    const tooFar =
      quality.sqnrDb !== null &&
      quality.agreement === null &&
      quality.sqnrDb < MIN_SQNR_DB - HOPELESS_DB
    if (!tooFar) return { send: true }
    const reason = `outputs are ${quality.sqnrDb?.toFixed(1)} dB from float32's on this host, at least ${MIN_SQNR_DB} dB wanted`
    return { send: false, reason, drop: 1 }
  }
  if (lost.atLeast <= maxAccuracyDrop) return { send: true }
  const reason = `loses ${points(lost.drop)} on this host over ${quality.samples} samples (at least ${points(lost.atLeast)}), budget ${points(maxAccuracyDrop)}: not sent to devices`
  return { send: false, reason, drop: lost.drop }
}

/** Share of answers lost on this host, as measured; null where outputs name no class, or are no numbers. */
export function dropOnHost(quality: QualityRecord): number | null {
  return quality.notFinite > 0 ? null : (lostOnHost(quality)?.drop ?? null)
}

const SPREAD_OF_METRICS = 3

/** Share of answers lost, and the lower end of its 95 % interval; undefined where outputs name no class. */
function lostOnHost(quality: QualityRecord): { drop: number; atLeast: number } | undefined {
  const { mcnemar, samples, agreement, metric } = quality
  if (metric !== undefined && metric.value !== null && metric.reference !== null) {
    const drop = lossOf(metric, metric.reference, metric.value)
    // How far other samples would move it nobody knows: devices are spared what loses many times too much.
    return { drop, atLeast: drop / SPREAD_OF_METRICS }
  }
  if (mcnemar) {
    // Difference of paired proportions, normal interval (Fleiss, Statistical Methods for Rates and Proportions, §13).
    const { onlyReferenceRight: lost, onlyThisRight: won } = mcnemar
    const drop = (lost - won) / samples
    const spread = (1.96 * Math.sqrt(lost + won - (lost - won) ** 2 / samples)) / samples
    return { drop, atLeast: drop - spread }
  }
  if (agreement === null) return undefined
  const differing = Math.round((1 - agreement) * samples)
  return { drop: 1 - agreement, atLeast: wilson95(differing, samples)[0] }
}
