import type { HealthVerdict } from '../health/index.ts'
import { type Gate, judgeGate } from './gates.ts'
import { type MemberState, standingOf } from './members.ts'
import { type OwnRolloutEvent, type RolloutState, SERVING } from './states.ts'
import { type Wave, waveTarget } from './waves.ts'

export interface Member {
  readonly device: string
  readonly online: boolean
  readonly state: MemberState
  /** A failure the operator has seen and resumed past: gates no longer count it. */
  readonly forgiven: boolean
}

export interface RolloutView {
  readonly state: RolloutState
  /** Index into `waves`. */
  readonly wave: number
  readonly waves: readonly Wave[]
  readonly gate: Gate
  /** An operator opens every wave after the first. */
  readonly approval: boolean
  readonly members: readonly Member[]
  /** How members do that run the variant; null: nobody watches. */
  readonly watch: HealthVerdict | null
  /** Devices of the class that are no members yet. */
  readonly outside: readonly { readonly device: string; readonly online: boolean }[]
}

export type RolloutStep =
  | { readonly kind: 'enlist'; readonly device: string }
  | { readonly kind: 'event'; readonly event: OwnRolloutEvent; readonly reason: string }
  | { readonly kind: 'wait'; readonly reason: string }

/** What to do now; pure, so that a planner that was killed comes to the same steps again. */
export function planRollout(view: RolloutView): readonly RolloutStep[] {
  const verdict = judgeGate(view.gate, tally(view.members))
  const stoppable =
    view.state === 'running' || view.state === 'awaiting-approval' || view.state === 'paused'
  if (stoppable && verdict.kind === 'abort') {
    return [{ kind: 'event', event: 'too-many-failures', reason: verdict.reason }]
  }
  if (stoppable && view.watch?.kind === 'broken') {
    return [{ kind: 'event', event: 'health-broken', reason: view.watch.reason }]
  }
  if (!SERVING.includes(view.state)) return []
  const enlisted = enlist(view)
  if (enlisted.length > 0) return enlisted.map((device) => ({ kind: 'enlist', device }))
  return view.state === 'running' ? advance(view) : []
}

/** Online devices up to the wave's target; members that went offline before they settled hold no place. */
function enlist(view: RolloutView): readonly string[] {
  const online = view.outside.filter((device) => device.online).map(({ device }) => device)
  if (view.state === 'done' || isLast(view)) return [...online].sort()
  const wave = view.waves[view.wave]
  if (!wave) return []
  const target = waveTarget(wave, view.members.length + view.outside.length)
  const reached = view.members.filter((m) => {
    const standing = standingOf(m.state)
    return standing === 'under-way' ? m.online : standing !== 'aside'
  }).length
  return [...online].sort().slice(0, Math.max(0, target - reached))
}

function advance(view: RolloutView): readonly RolloutStep[] {
  const underWay = view.members.filter((m) => standingOf(m.state) === 'under-way')
  const present = underWay.filter((m) => m.online)
  if (present.length > 0) {
    return [
      { kind: 'wait', reason: `${present.map((m) => m.device).join(', ')}: ${present[0]?.state}` },
    ]
  }
  const offline = [...underWay, ...view.outside.filter((device) => !device.online)]
  if (underWay.length === view.members.length) {
    return [
      { kind: 'wait', reason: `no device of the class is online (${offline.length} offline)` },
    ]
  }
  if (view.watch?.kind === 'watching') return [{ kind: 'wait', reason: view.watch.reason }]
  if (view.watch?.kind === 'unknown')
    return [{ kind: 'event', event: 'gate-failed', reason: view.watch.reason }]
  if (isLast(view)) return [{ kind: 'event', event: 'all-settled', reason: later(offline.length) }]
  const counted = tally(view.members)
  const verdict = judgeGate(view.gate, counted)
  if (verdict.kind !== 'passed' && counted.active + counted.failed > 0) {
    return [{ kind: 'event', event: 'gate-failed', reason: verdict.reason }]
  }
  const event = view.approval ? 'approval-needed' : 'wave-passed'
  return [{ kind: 'event', event, reason: `wave ${view.wave + 1} settled` }]
}

function isLast(view: RolloutView): boolean {
  return view.wave >= view.waves.length - 1
}

function tally(members: readonly Member[]): { active: number; failed: number } {
  const counted = members.filter((m) => !m.forgiven).map((m) => standingOf(m.state))
  return {
    active: counted.filter((standing) => standing === 'active').length,
    failed: counted.filter((standing) => standing === 'failed').length,
  }
}

function later(offline: number): string {
  return offline === 0
    ? 'every device is settled'
    : `${offline} offline will be served when they appear`
}
