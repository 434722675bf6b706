import { metricName } from '../../shared/metrics/index.ts'
import { formatBytes, formatMs } from '../../shared/units.ts'
import type { Constraints, Measured, Room } from './measured.ts'

/** Outputs that are no class scores count as kept above this signal-to-noise ratio. */
export const MIN_SQNR_DB = 20

/** Answers the sentence that says what is broken, or undefined. */
type Check = (variant: Measured, constraints: Constraints, room: Room) => string | undefined

const CHECKS: readonly Check[] = [
  function accuracyDrop({ quality }, { maxAccuracyDrop }) {
    if (quality.drop === null) return undefined
    if (quality.drop <= maxAccuracyDrop + 1e-9) return undefined
    const lost = points(quality.drop)
    if (quality.metric !== undefined)
      return `loses ${lost} of ${metricName(quality.metric)}, budget ${points(maxAccuracyDrop)}`
    return quality.basis === 'agreement'
      ? `answers differ from float32 in ${lost} of samples, budget ${points(maxAccuracyDrop)} (no labels: agreement stands for accuracy)`
      : `loses ${lost} of accuracy, budget ${points(maxAccuracyDrop)}`
  },
  function closeness({ quality }) {
    if (quality.basis !== 'sqnr' || quality.sqnrDb === null) return undefined
    if (quality.sqnrDb >= MIN_SQNR_DB) return undefined
    return `outputs are ${quality.sqnrDb.toFixed(1)} dB from float32's, at least ${MIN_SQNR_DB} dB wanted`
  },
  function latencyCeiling({ latency }, { maxLatencyMs }) {
    if (maxLatencyMs === null || latency.p50Ms <= maxLatencyMs) return undefined
    return `takes ${formatMs(latency.p50Ms)}, ceiling ${formatMs(maxLatencyMs)}`
  },
  function sizeLimit({ bytes }, { maxBytes }, { storageBytes }) {
    const most = Math.min(maxBytes ?? Infinity, storageBytes ?? Infinity)
    if (bytes <= most) return undefined
    return `${formatBytes(bytes)} is more than the ${formatBytes(most)} ${most === maxBytes ? 'allowed' : 'of storage the class has'}`
  },
  function memoryLimit({ memoryBytes }, { maxMemoryBytes }, room) {
    const most = Math.min(maxMemoryBytes ?? Infinity, room.memoryBytes ?? Infinity)
    if (memoryBytes <= most) return undefined
    return `needs ${formatBytes(memoryBytes)} of memory, ${formatBytes(most)} ${most === maxMemoryBytes ? 'allowed' : 'there for a model'}`
  },
]

/** Every constraint this variant breaks, in words; empty when it may ship. */
export function brokenConstraints(
  variant: Measured,
  constraints: Constraints,
  room: Room,
): readonly string[] {
  return CHECKS.flatMap((check) => check(variant, constraints, room) ?? [])
}

/** 0.0123 → `1.2 pt`. */
export function points(share: number): string {
  return `${(share * 100).toFixed(1)} pt`
}
