import { z } from 'zod'
import { wilson95 } from '../../shared/statistics/index.ts'
import { formatDuration } from '../../shared/units.ts'
import { type Condition, conditionSchema, evidenceOf, hold } from './conditions.ts'
import type { Figures } from './figures.ts'

/** What a wave must show in the field before the next one opens. */
export const healthGateSchema = z.object({
  /** Since its last device became active, ms. */
  watchMs: z
    .number()
    .positive()
    .max(30 * 86_400_000),
  conditions: z.array(conditionSchema).min(1).max(16),
})
export type HealthGate = z.infer<typeof healthGateSchema>

/** One device of the rollout that runs its variant. */
export interface WatchedMember {
  readonly device: string
  /** Its newest window with this variant; null: it has told of none yet. */
  readonly figures: Figures | null
}

export interface WatchedWave {
  readonly members: readonly WatchedMember[]
  /** The newest windows of all of them added up, variant by variant. */
  readonly together: readonly Figures[]
  /** Since the last of them became active. */
  readonly watchedMs: number
  /** Share of members that may break a condition beyond doubt. */
  readonly failureThreshold: number
}

export type HealthVerdict =
  | { readonly kind: 'good' }
  /** Goes on being watched. */
  | { readonly kind: 'watching'; readonly reason: string }
  /** The time is over, and nobody observed what was asked for. */
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'broken'; readonly reason: string }

/** Judges a wave; broken as soon as it is, good only when the time is over. */
export function judgeHealth({ conditions, watchMs }: HealthGate, wave: WatchedWave): HealthVerdict {
  for (const condition of conditions) {
    const broken = brokenBy(condition, wave)
    if (broken !== undefined) return { kind: 'broken', reason: broken }
  }
  const left = watchMs - wave.watchedMs
  const seen = wave.members.filter(({ figures }) => figures !== null).length
  if (left > 0) {
    const reason = `watches how ${seen} of ${wave.members.length} devices do, for ${formatDuration(left)} more`
    return { kind: 'watching', reason }
  }
  const untold = conditions.filter(
    (condition) => !wave.together.some((figures) => hold(condition, figures).holds !== null),
  )
  const [first] = untold
  if (!first) return { kind: 'good' }
  const reason = `within ${formatDuration(watchMs)} no device told of ${untold.map(({ metric }) => metric).join(', ')}: do its applications observe the model? resume to go on without`
  return { kind: 'unknown', reason }
}

/** All together, or more of them one by one than may: a variant may do badly on some devices only. */
function brokenBy(condition: Condition, wave: WatchedWave): string | undefined {
  for (const figures of wave.together) {
    const held = hold(condition, figures)
    if (held.holds === false) return evidenceOf(held, figures)
  }
  const told = wave.members.flatMap(({ device, figures }) => {
    const held = figures && hold(condition, figures)
    return held && held.holds !== null ? [{ device, figures, held }] : []
  })
  const bad = told.filter(({ held }) => held.holds === false)
  const [worst] = bad
  if (!worst || wilson95(bad.length, told.length)[0] <= wave.failureThreshold) return undefined
  return `${bad.length} of ${told.length} devices, first ${worst.device}: ${evidenceOf(worst.held, worst.figures)}`
}
