import { medianOf, sorted } from '../statistics/index.ts'
import type { PartTime } from './runtime.ts'

/** One operator of one run, as a profiler tells it. */
export interface ProfiledEvent {
  readonly by: string
  readonly kind: string
  readonly us: number
}

/** Events of `runs` runs, one run after the other, by who computed them and what; the longest first. */
export function partTimesOf(events: Iterable<ProfiledEvent>, runs: number): readonly PartTime[] {
  const parts = new Map<string, ProfiledEvent[]>()
  for (const event of events) {
    const key = JSON.stringify([event.by, event.kind])
    parts.set(key, [...(parts.get(key) ?? []), event])
  }
  return [...parts.values()]
    .flatMap((part) => {
      const [first] = part
      if (first === undefined) return []
      const { by, kind } = first
      const times = part.map(({ us }) => us)
      return [{ by, kind, count: Math.round(part.length / runs), ms: usPerRun(times, runs) / 1000 }]
    })
    .sort((a, b) => b.ms - a.ms)
}

/** The median of runs: the first ones warm up, and others are interrupted. */
function usPerRun(times: readonly number[], runs: number): number {
  const each = Math.ceil(times.length / runs)
  const sums: number[] = []
  for (let at = 0; at < times.length; at += each)
    sums.push(times.slice(at, at + each).reduce((sum, us) => sum + us, 0))
  return medianOf(sorted(sums))
}
