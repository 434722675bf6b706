import { z } from 'zod'
import { wilson95 } from '../../shared/statistics/index.ts'
import { formatPercent } from '../../shared/units.ts'

export const gateSchema = z.object({
  /** Share of a wave's settled devices that must be active before the next wave. */
  successShare: z.number().gt(0).max(1),
  /** Abort when the failure rate is above this beyond doubt. */
  failureThreshold: z.number().min(0).max(1),
  /** Never abort on fewer settled devices: a rate without a sample is noise. */
  minimumSample: z.number().int().positive(),
})
export type Gate = z.infer<typeof gateSchema>

export const DEFAULT_GATE: Gate = { successShare: 0.9, failureThreshold: 0.2, minimumSample: 3 }

export interface Tally {
  readonly active: number
  readonly failed: number
}

export type GateVerdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'short'; readonly reason: string }
  | { readonly kind: 'abort'; readonly reason: string }

/** Judges the settled devices; `settled` false asks only whether it is bad enough to abort already. */
export function judgeGate(gate: Gate, { active, failed }: Tally): GateVerdict {
  const settled = active + failed
  const [bound] = wilson95(failed, settled)
  if (settled >= gate.minimumSample && bound > gate.failureThreshold) {
    const reason = `${failed} of ${settled} devices failed: at least ${formatPercent(bound, 0)} of the class would (95 % confidence), threshold ${formatPercent(gate.failureThreshold, 0)}`
    return { kind: 'abort', reason }
  }
  if (settled > 0 && active / settled >= gate.successShare) return { kind: 'passed' }
  const reason = `${active} of ${settled} devices succeeded, ${formatPercent(gate.successShare, 0)} wanted before the next wave`
  return { kind: 'short', reason }
}
