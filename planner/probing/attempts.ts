import { BEHIND, type ProbeRecord } from '../../shared/measure/index.ts'

/** One probe that was asked for, and what came of it. */
export interface Attempt {
  /** Of its probe; what was measured in the same rounds names it. */
  readonly id?: string
  readonly variant: string
  /** Key of the variant it is measured in turns with; null: none, or it is not known any more. */
  readonly rival: string | null
  readonly device: string
  /** `soak`: alone and for long, told apart. Null: a heat or a duel. */
  readonly match?: 'soak' | null
  readonly state: 'ordered' | 'measured' | 'failed' | 'lost' | 'cancelled'
  readonly record: ProbeRecord | null
  readonly error: { readonly code: string; readonly message: string } | null
  readonly orderedAt: string
  readonly finishedAt: string | null
}

/** How often a device is asked for one measurement before it counts as one that cannot make it. */
export const MOST_TRIES = 2

/** Failures that say something about the moment, not about the variant. */
const PASSING: ReadonlySet<string> = new Set([
  'cancelled',
  'restart-loop',
  'download-failed',
  'busy',
  'internal',
])

/**
 * Whether a record may decide: measured undisturbed, or taken all the same because the operator said so. What is
 * `invalid` measured nothing.
 */
export function isUsable({ record }: Pick<Attempt, 'record'>, acceptNoise: boolean): boolean {
  if (record === null || record.verdict === 'invalid') return false
  return acceptNoise || record.verdict === 'ok'
}

/** Another was surely faster: it was not asked for its answers. */
export function isBehind({ record }: Pick<Attempt, 'record'>): boolean {
  return record?.flags.includes(BEHIND) ?? false
}

/** Asked for among others, which were measured without it: that says nothing of it. */
export const NOT_BESIDE = 'not-beside'

/** Devices that may be asked for many at once: an order of several came to nothing on none of these. */
export function takesMany(device: string, attempts: readonly Attempt[]): boolean {
  return !attempts.some(
    (one) => one.device === device && (one.state === 'lost' || one.error?.code === NOT_BESIDE),
  )
}

/** What is known of one measurement on one device, from all attempts at it. */
export type Progress =
  | { readonly kind: 'open' | 'running' | 'failed' }
  | { readonly kind: 'answered'; readonly times: number }
  /** Only disturbed records so far. */
  | { readonly kind: 'disturbed'; readonly attempts: readonly Attempt[] }

/** @param attempts at one measurement on one device */
export function progressOf(all: readonly Attempt[], acceptNoise: boolean): Progress {
  const attempts = all.filter(({ error }) => error?.code !== NOT_BESIDE)
  if (attempts.some(({ state }) => state === 'ordered')) return { kind: 'running' }
  const times = attempts.filter((attempt) => isUsable(attempt, acceptNoise)).length
  if (times > 0) return { kind: 'answered', times }
  const measured = attempts.filter(({ state }) => state === 'measured')
  const disturbed = measured.filter(({ record }) => record && record.verdict !== 'invalid')
  if (disturbed.length > 0) return { kind: 'disturbed', attempts: disturbed }
  const isFinal = measured.length > 0 || attempts.some(isLasting) || attempts.length >= MOST_TRIES
  return { kind: isFinal ? 'failed' : 'open' }
}

/** A failure of the variant itself. */
function isLasting({ state, error }: Attempt): boolean {
  return state === 'failed' && (error === null || !PASSING.has(error.code))
}
