export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A certificate is renewed once less than this part of its life remains: two attempts' worth of silence are left. */
const LIFE_KEPT = 1 / 3

export function renewalDue(validity: Validity): Date {
  const end = validity.notAfter.getTime()
  const life = end - validity.notBefore.getTime()
  return new Date(end - life * LIFE_KEPT)
}

export type TimeVerdict = 'valid' | 'expired' | 'not-yet-valid'

/** RFC 5280 §4.1.2.5: both ends are included. */
export function judgeTime(validity: Validity, now: Date): TimeVerdict {
  if (now.getTime() < validity.notBefore.getTime()) return 'not-yet-valid'
  return now.getTime() > validity.notAfter.getTime() ? 'expired' : 'valid'
}
