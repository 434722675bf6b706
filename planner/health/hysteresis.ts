import { z } from 'zod'
import { openWord } from '../../shared/open-words.ts'

/** Names are stored: rename none. */
export const ALARM_STATES = ['quiet', 'raised'] as const

export const alarmCountSchema = z.object({
  state: openWord(ALARM_STATES),
  /** Windows in a row that broke the rule, or kept it. */
  broken: z.number().int().nonnegative(),
  kept: z.number().int().nonnegative(),
})
export type AlarmCount = z.infer<typeof alarmCountSchema>

export const QUIET: AlarmCount = { state: 'quiet', broken: 0, kept: 0 }

/** After so many windows in a row an alarm is raised, and goes away. */
export interface Patience {
  readonly raiseAfter: number
  readonly clearAfter: number
}

/** One window more. A window that tells nothing changes nothing. */
export function count(alarm: AlarmCount, holds: boolean | null, patience: Patience): AlarmCount {
  if (holds === null) return alarm
  const broken = holds ? 0 : alarm.broken + 1
  const kept = holds ? alarm.kept + 1 : 0
  const isRaised =
    alarm.state === 'raised' ? kept < patience.clearAfter : broken >= patience.raiseAfter
  return { state: isRaised ? 'raised' : 'quiet', broken, kept }
}
