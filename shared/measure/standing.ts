import { medianOf, sorted } from '../statistics/index.ts'
import type { Block } from './latency-blocks.ts'
import { medianOfBlock, ratioOfBlocks } from './latency-summary.ts'
import { isAbove, leavesAll } from './paired-ratio.ts'

/** How those that are measured in turns stand after a round. */
export interface Standing {
  /** Places of those that are certain to be slower than the fastest by more than all that the decision hangs on. */
  readonly behind: readonly number[]
  /** Whoever is not behind is known well enough too. */
  readonly isDecided: boolean
}

/**
 * Of two the ratio of the first to the second is what is decided by; of more, that of each to the fastest.
 * @param blocks of each, by rounds
 * @param decides ratios that the decision hangs on
 */
export function standingOf(
  blocks: readonly (readonly Block[])[],
  decides: readonly number[],
): Standing {
  const [first, second] = blocks
  if (!first || !second) return { behind: [], isDecided: true }
  if (blocks.length === 2)
    return { behind: [], isDecided: leavesAll(ratioOfBlocks(first, second), decides) }
  const medians = blocks.map((own) => medianOf(sorted(own.map(medianOfBlock))))
  const fastest = medians.indexOf(Math.min(...medians))
  const least = blocks[fastest] ?? first
  const others = blocks.flatMap((own, place) =>
    place === fastest ? [] : [{ place, ratio: ratioOfBlocks(own, least) }],
  )
  const most = Math.max(...decides)
  return {
    behind: others.filter(({ ratio }) => isAbove(ratio, most)).map(({ place }) => place),
    isDecided: others.every(({ ratio }) => leavesAll(ratio, decides)),
  }
}
