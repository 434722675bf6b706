import { formatCounts } from '../../units.ts'
import { RuntimeError } from '../errors.ts'
import type { Delegation } from '../runtime.ts'

/** That an error names. */
const MOST_KINDS = 8

/**
 * A delegate that was asked for must have taken something, and all of them their share together: a time measured
 * otherwise would be the processor's. @throws RuntimeError `not-accelerated`
 */
export function refuseTooLittle(asked: readonly Delegation[], least = 0): void {
  const [first] = asked
  if (first === undefined) return
  const idle = asked.find(({ taken }) => taken === 0)
  if (idle !== undefined)
    throw new RuntimeError(
      'not-accelerated',
      `the delegate ${idle.path} took none of ${idle.total} operators${leftWords(idle)}`,
      { delegation: asked },
    )
  const taken = asked.reduce((sum, one) => sum + one.taken, 0)
  if (taken >= least * first.total) return
  const last = asked.at(-1) ?? first
  throw new RuntimeError(
    'not-accelerated',
    `delegates took ${taken} of ${first.total} operators, less than the ${Math.round(100 * least)} % asked for${leftWords(last)}`,
    { delegation: asked },
  )
}

function leftWords({ left }: Delegation): string {
  const kinds = formatCounts(left, MOST_KINDS)
  return kinds === '' ? '' : `; left are ${kinds}`
}
