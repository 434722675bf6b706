import { choose, type Duel, type Measured } from '../../../planner/selection/index.ts'
import { medianOf, sorted } from '../../../shared/statistics/index.ts'
import { USUAL_RULES } from '../../planner/probing/usual-rules.ts'
import type { ModelledClass } from './fleet-model.ts'

/** Relative error of a measurement that nothing disturbs and nobody cuts short. */
const EXACT = 1e-4

/** What the class would get if every pair had been measured in turns on every device, undisturbed and exactly. */
export function oracleOf({ entrants, devices }: ModelledClass): string {
  const duels = entrants.flatMap((one, i) =>
    entrants.slice(i + 1).flatMap((other) =>
      devices.map(({ prober, truth }): Duel => {
        const ratio = exactly((truth.get(one.key) ?? 1) / (truth.get(other.key) ?? 1))
        return { key: one.key, rival: other.key, device: prober.device, ratio }
      }),
    ),
  )
  const candidates = entrants.map((entrant): Measured => {
    const { p50, ci95 } = exactly(trueMs(entrant.key, devices))
    return {
      key: entrant.key,
      scheme: entrant.scheme,
      runtime: entrant.runtime,
      bytes: entrant.bytes,
      latency: { p50Ms: p50, ci95, ratio: null },
      memoryBytes: 60e6,
      quality: { basis: 'labels', drop: 0, accuracy: 0.9, agreement: 1, sqnrDb: 60 },
      devices: devices.length,
      notes: [],
    }
  })
  return choose({ ...USUAL_RULES, candidates, duels, probers: devices.length }).winner ?? ''
}

/** Of the class, ms. */
export function trueMs(key: string, devices: ModelledClass['devices']): number {
  return medianOf(sorted(devices.map(({ truth }) => truth.get(key) ?? 1)))
}

function exactly(value: number): { p50: number; ci95: [number, number] } {
  return { p50: value, ci95: [value * (1 - EXACT), value * (1 + EXACT)] }
}
