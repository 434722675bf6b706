import { isOneOf } from '../../shared/open-words.ts'
import { type TargetName, targetOf } from '../targets/index.ts'
import type { Candidate } from './candidates.ts'

interface Bound {
  /** The scheme that computes the same, or more of it in integers: this one is no faster by what matters. */
  readonly as: string
  /** Of that one's bytes this one takes at least so much. */
  readonly leastShare: number
}

const BOUNDS = {
  float16: { as: 'float32', leastShare: 0.5 },
  'weight-w8': { as: 'float32', leastShare: 0.25 },
  'static-w8a8-u8s8-mixed': { as: 'static-w8a8-u8s8-rr', leastShare: 1 },
} as const satisfies Readonly<Record<string, Bound>>

/**
 * What is known of a candidate before it is built, where it stores otherwise what another computes. On processors only:
 * accelerators have units of their own for half precision.
 */
export function boundOf({ scheme, runtime }: Candidate): (Bound & Candidate) | undefined {
  if (!isOneOf(Object.keys(BOUNDS) as (keyof typeof BOUNDS)[], scheme)) return undefined
  if (targetOf(runtime as TargetName).accelerator) return undefined
  return { ...BOUNDS[scheme], scheme: BOUNDS[scheme].as, runtime }
}
