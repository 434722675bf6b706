import type { HealthVerdict } from '../health/index.ts'
import { type Gate, judgeGate } from './gates.ts'
import type { Population } from './population.ts'
import { type OwnRolloutEvent, type RolloutState, SERVING } from './states.ts'
import { type Wave, waveTarget } from './waves.ts'

export interface RolloutView {
  readonly state: RolloutState
  /** Index into `waves`. */
  readonly wave: number
  readonly waves: readonly Wave[]
  readonly gate: Gate
  /** An operator opens every wave after the first. */
  readonly approval: boolean
  readonly population: Population
  /** How members do that run the variant; null: nobody watches. */
  readonly watch: HealthVerdict | null
}

export type RolloutStep =
  /** So many of the online devices that are no members yet, by their names. */
  | { readonly kind: 'enlist'; readonly most: number }
  | { readonly kind: 'event'; readonly event: OwnRolloutEvent; readonly reason: string }
  /** `present`: for devices that are on their way; who they are is told by whoever can look. */
  | { readonly kind: 'wait'; readonly reason: string; readonly present: number }

/** What to do now; pure, so that a planner that was killed comes to the same steps again. */
export function planRollout(view: RolloutView): readonly RolloutStep[] {
  const { state, population } = view
  const verdict = judgeGate(view.gate, population)
  const stoppable = state === 'running' || state === 'awaiting-approval' || state === 'paused'
  if (stoppable && verdict.kind === 'abort') {
    return [{ kind: 'event', event: 'too-many-failures', reason: verdict.reason }]
  }
  if (stoppable && view.watch?.kind === 'broken') {
    return [{ kind: 'event', event: 'health-broken', reason: view.watch.reason }]
  }
  if (!SERVING.includes(state)) return []
  const most = toEnlist(view)
  if (most > 0) return [{ kind: 'enlist', most }]
  return state === 'running' ? advance(view) : []
}

/** Online devices up to the wave's target; members that went offline before they settled hold no place. */
function toEnlist({ state, wave: index, waves, population }: RolloutView): number {
  const { members, present, settled, outsideOnline, outsideOffline } = population
  if (state === 'done' || index >= waves.length - 1) return outsideOnline
  const wave = waves[index]
  if (!wave) return 0
  const target = waveTarget(wave, members + outsideOnline + outsideOffline)
  return Math.min(outsideOnline, Math.max(0, target - present - settled))
}

function advance(view: RolloutView): readonly RolloutStep[] {
  const { members, present, away, active, failed, outsideOffline } = view.population
  if (present > 0) {
    // Without their number: it would be another line, and another row written, with every report.
    return [{ kind: 'wait', reason: 'devices are on the way', present }]
  }
  const offline = away + outsideOffline
  if (away === members) {
    const reason = `no device of the class is online (${offline} offline)`
    return [{ kind: 'wait', reason, present: 0 }]
  }
  if (view.watch?.kind === 'watching')
    return [{ kind: 'wait', reason: view.watch.reason, present: 0 }]
  if (view.watch?.kind === 'unknown')
    return [{ kind: 'event', event: 'gate-failed', reason: view.watch.reason }]
  if (view.wave >= view.waves.length - 1) {
    return [{ kind: 'event', event: 'all-settled', reason: later(offline) }]
  }
  const verdict = judgeGate(view.gate, view.population)
  if (verdict.kind !== 'passed' && active + failed > 0) {
    return [{ kind: 'event', event: 'gate-failed', reason: verdict.reason }]
  }
  const event = view.approval ? 'approval-needed' : 'wave-passed'
  return [{ kind: 'event', event, reason: `wave ${view.wave + 1} settled` }]
}

function later(offline: number): string {
  return offline === 0
    ? 'every device is settled'
    : `${offline} offline will be served when they appear`
}
