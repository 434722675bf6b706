import type { RolloutDetail } from '../contract/rollout-views.ts'

export type Cause = RolloutDetail['causes'][number]

/**
 * Failures of one cause together: what devices say differs in sizes, times and names of files, of which the words that
 * are left say why. Told in the words of most of them; the most frequent first.
 */
export function groupCauses(errors: readonly Cause[]): Cause[] {
  const groups = new Map<string, Cause>()
  // The most frequent come first, and theirs are the words.
  for (const one of errors) {
    const key = one.error.replace(VARYING, '#')
    const known = groups.get(key)
    groups.set(key, known ? { ...known, devices: known.devices + one.devices } : one)
  }
  return [...groups.values()].sort((a, b) => b.devices - a.devices)
}

/** Digests, and numbers with whatever stands between their digits; but what a process ended with is why. */
const VARYING = /[0-9a-f]{16,}|(?<!code )\b\d+(?:[.,:]\d+)*/g
