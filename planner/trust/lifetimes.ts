const DAY_MS = 24 * 60 * 60 * 1000

/** Days until metadata expires: long where people must sign, short where a machine does. */
export interface Lifetimes {
  readonly root: number
  readonly targets: number
  readonly snapshot: number
  readonly timestamp: number
  readonly director: number
}

export const LIFETIMES: Lifetimes = {
  root: 3650,
  targets: 365,
  snapshot: 30,
  timestamp: 7,
  director: 1,
}

/** As TUF 1.0 §4.1 writes it: UTC, whole seconds. */
export function expiryAfter(now: Date, days: number): string {
  return tufTime(new Date(now.getTime() + days * DAY_MS))
}

export function tufTime(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`
}

/** A third of its life is left: time to sign again. */
export function isAgeing(expires: string, days: number, now: Date): boolean {
  return new Date(expires).getTime() - now.getTime() < (days * DAY_MS) / 3
}

export function hasLivedADay(expires: string, days: number, now: Date): boolean {
  return new Date(expires).getTime() - now.getTime() < (days - 1) * DAY_MS
}
