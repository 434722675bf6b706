import { AppError } from '../errors.ts'

/** No machine runs this version earlier. Raised with releases. */
export const MADE_AT = new Date('2026-11-01T00:00:00.000Z')
/** Life of a fleet's authority: nothing that this version signs is to be read later. */
const YEARS_OF_USE = 20

export class ClockError extends AppError {
  readonly code = 'clock-implausible'
}

/** A clock that starts in 1970, or was never set. */
export function isPlausible(now: Date): boolean {
  const latest = new Date(MADE_AT)
  latest.setUTCFullYear(latest.getUTCFullYear() + YEARS_OF_USE)
  return now >= MADE_AT && now < latest
}

/**
 * Before anything is signed that others would believe, or not, for years.
 * @throws ClockError
 */
export function requirePlausible(now: Date): void {
  if (isPlausible(now)) return
  throw new ClockError(
    `the clock of this machine says ${day(now)}, and this version was made in ${MADE_AT.toISOString().slice(0, 7)}: set the clock (timedatectl set-ntp true, or date -s), then start again`,
    { now: now.toISOString() },
  )
}

/** `2026-11-29 18:04` */
export function minute(at: Date): string {
  return at.toISOString().slice(0, 16).replace('T', ' ')
}

function day(at: Date): string {
  return at.toISOString().slice(0, 10)
}
