import { wilson95 } from '../../../shared/statistics/index.ts'
import { formatPercent } from '../../../shared/units.ts'

interface Gate {
  readonly successShare: number
  readonly failureThreshold: number
  readonly minimumSample: number
}

interface Tally {
  readonly active: number
  readonly failed: number
}

/** One rule of a gate with the numbers that it is judged by. */
export interface GateRow {
  readonly rule: string
  readonly now: string
  /** Null: nothing to judge by yet. */
  readonly holds: boolean | null
}

/** The gate as the planner judges it: how many of those that have settled succeed, and when it is bad enough to stop. */
export function gateRows(gate: Gate, { active, failed }: Tally): readonly GateRow[] {
  const { successShare, failureThreshold, minimumSample } = gate
  const settled = active + failed
  const [least] = wilson95(failed, settled)
  const none = 'no device has settled'
  return [
    {
      rule: `${formatPercent(successShare, 0)} or more succeed`,
      now: settled === 0 ? none : `${active} of ${settled}`,
      holds: settled === 0 ? null : active / settled >= successShare,
    },
    {
      rule: `no more than ${formatPercent(failureThreshold, 0)} fail, beyond doubt and of ${minimumSample} or more`,
      now:
        settled === 0
          ? none
          : `${failed} of ${settled}: at least ${formatPercent(least, 0)} of the class would`,
      holds: settled >= minimumSample ? least <= failureThreshold : null,
    },
  ]
}
