import { formatRatio } from '../../shared/units.ts'
import type { Compare } from './comparison.ts'
import type { Measured } from './measured.ts'

/** How the winner compares with the fastest admissible candidate of every other runtime; empty where there is one runtime. */
export function beside(
  winner: Measured,
  admissible: readonly Measured[],
  compare: Compare,
): string {
  const others = admissible.filter(({ runtime }) => runtime !== winner.runtime)
  const runtimes = [...new Set(others.map(({ runtime }) => runtime))]
  return runtimes
    .map((runtime) => {
      const fastest = others
        .filter((variant) => variant.runtime === runtime)
        .reduce((a, b) => (compare(b, winner).p50 < compare(a, winner).p50 ? b : a))
      const ratio = formatRatio(compare(winner, fastest).p50)
      return `; ${ratio} the latency of the fastest on ${runtime}, ${fastest.scheme}`
    })
    .join('')
}
