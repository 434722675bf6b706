const FIRST_MS = 5_000
const FACTOR = 3
const LONGEST_MS = 6 * 3_600_000
/** 5 s, 15 s, 45 s … 6 h: some 30 hours in all, over a night and a day's work on the receiver. */
const MOST_ATTEMPTS = 12
/** Of the pause: receivers that came back are not asked by all at one moment. */
const JITTER = 0.2

/** What becomes of a delivery that was tried so often, in vain. */
export function afterFailure(
  attempts: number,
  now: Date,
  random: () => number = Math.random,
): { readonly state: 'waiting' | 'dead'; readonly nextAt: string } {
  const pause = Math.min(LONGEST_MS, FIRST_MS * FACTOR ** (attempts - 1))
  const nextAt = new Date(now.getTime() + pause * (1 + JITTER * random())).toISOString()
  return { state: attempts < MOST_ATTEMPTS ? 'waiting' : 'dead', nextAt }
}
