import type { Answer, Score } from '../meter.ts'
import type { MetricUnit } from '../table.ts'

/** Each gets one reply, in order. */
export type ToScript =
  | { readonly kind: 'start' }
  | { readonly kind: 'add'; readonly answer: Answer }
  | { readonly kind: 'score' }

export type FromScript =
  | { readonly kind: 'started'; readonly direction: 'higher' | 'lower'; readonly unit: MetricUnit }
  | { readonly kind: 'added' }
  | { readonly kind: 'scored'; readonly score: Score }
  | { readonly kind: 'failed'; readonly message: string }
