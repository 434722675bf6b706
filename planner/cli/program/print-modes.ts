import type { EnergyRecord, LatencyRecord, SoakRecord } from '../../../shared/measure/index.ts'
import { formatDuration, formatMs, formatRatio } from '../../../shared/units.ts'

/** `at 30 Hz, 2 late`. */
export function printPace({ rateHz, late }: NonNullable<LatencyRecord['pace']>): string {
  return `at ${rateHz} Hz${late > 0 ? `, ${late} late` : ''}`
}

/** `12.4 mJ a run (11.9–12.8) beyond 3.21 W at rest, by rapl (package-0)`. */
export function printEnergy({ perRunMj, ci95, idleWatts, meter, covers }: EnergyRecord): string {
  const [low, high] = ci95.map((mj) => mj.toPrecision(3))
  return `${perRunMj.toPrecision(3)} mJ a run (${low}–${high}) beyond ${idleWatts.toPrecision(3)} W at rest, by ${meter} (${covers})`
}

/** `60s without a pause: 1.21× its latency at the end (0.41 ms → 0.5 ms), slower from 22s on`. */
export function printSoak({ ms, firstMs, lastMs, slowdown, slowedAfterMs }: SoakRecord): string {
  const when =
    slowedAfterMs === null ? 'not slower' : `slower from ${formatDuration(slowedAfterMs)} on`
  return `${formatDuration(ms)} without a pause: ${formatRatio(slowdown)} its latency at the end (${formatMs(firstMs)} → ${formatMs(lastMs)}), ${when}`
}
