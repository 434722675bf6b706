import { matches, type Selector } from '../groups/index.ts'
import { judgeGate } from './gates.ts'
import { brokenGroups, groupsToCome } from './groups.ts'
import { standingOf } from './members.ts'
import type { Placed } from './population.ts'
import { ratePerMinute } from './rate.ts'
import { type OwnRolloutEvent, SERVING } from './states.ts'
import type { Roll, RolloutView } from './view.ts'
import { printWave, waveTarget } from './waves.ts'

export type RolloutStep =
  /** So many of the online devices that are no members yet, by their names; or these. */
  | { readonly kind: 'enlist'; readonly most: number; readonly devices?: readonly string[] }
  /** What its mates could not keep, the device gives back. */
  | { readonly kind: 'withdraw'; readonly device: string; readonly reason: string }
  | { readonly kind: 'event'; readonly event: OwnRolloutEvent; readonly reason: string }
  /** `present`: for devices that are on their way; who they are is told by whoever can look. */
  | { readonly kind: 'wait'; readonly reason: string; readonly present: number }

/** What to do now; pure, so that a planner that was killed comes to the same steps again. */
export function planRollout(view: RolloutView): readonly RolloutStep[] {
  const { state, population, watch, roll } = view
  const verdict = judgeGate(view.gate, population)
  const stoppable = state === 'running' || state === 'awaiting-approval' || state === 'paused'
  if (stoppable && verdict.kind === 'abort') {
    return [{ kind: 'event', event: 'too-many-failures', reason: verdict.reason }]
  }
  if (stoppable && watch?.kind === 'broken') {
    return [{ kind: 'event', event: 'health-broken', reason: watch.reason }]
  }
  const broken = roll && (stoppable || state === 'done') ? brokenGroups(roll) : []
  if (broken.length > 0) return broken.map((each) => ({ kind: 'withdraw', ...each }))
  if (!SERVING.includes(state)) return []
  const joining = roll ? rollCall(view, roll) : byNumber(view)
  if (joining !== null) return [joining]
  return state === 'running' ? advance(view) : []
}

/** Online devices up to the wave's target; members that went offline before they settled hold no place. */
function byNumber(view: RolloutView): RolloutStep | null {
  const { outsideOnline } = view.population
  const target = targetOf(view)
  const most = Math.min(outsideOnline, Math.max(0, target - reachedBy(view)))
  return most > 0 ? { kind: 'enlist', most } : null
}

function targetOf(view: RolloutView): number {
  const { members, outsideOnline, outsideOffline } = view.population
  const wave = view.waves[view.wave]
  if (view.state === 'done' || isLast(view)) return Number.POSITIVE_INFINITY
  if (!wave || 'where' in wave) return 0
  return waveTarget(wave, members + outsideOnline + outsideOffline)
}

function reachedBy({ population: { present, settled } }: RolloutView): number {
  return present + settled
}

/** Whole groups, at their rate: one that is larger than a minute's share goes alone. */
function rollCall(view: RolloutView, roll: Roll): RolloutStep | null {
  const groups = groupsOfWave(view, roll)
  if (groups.length === 0) return null
  const { rate, toldThisMinute = 0 } = roll
  const least = rate ? ratePerMinute(rate, view.population.active) : Number.POSITIVE_INFINITY
  let told = toldThisMinute
  const devices: string[] = []
  for (const group of groups) {
    if (told > 0 && told + group.length > least) break
    told += group.length
    devices.push(...group.map(({ device }) => device))
  }
  if (devices.length > 0) return { kind: 'enlist', most: devices.length, devices }
  return wait(`${least} a minute: ${groups.flat().length} devices wait their turn`)
}

function groupsOfWave(view: RolloutView, roll: Roll): ReturnType<typeof groupsToCome> {
  const groups = groupsToCome(roll)
  if (view.state === 'done' || isLast(view)) return groups
  const wave = view.waves[view.wave]
  if (wave && 'where' in wave) return groups.filter((group) => group.some(isOf(wave.where)))
  const room = targetOf(view) - reachedBy(view)
  const taken: (readonly Placed[])[] = []
  for (const group of groups) {
    if (taken.flat().length >= room) break
    taken.push(group)
  }
  return taken
}

function advance(view: RolloutView): readonly RolloutStep[] {
  const { members, present, away, active, failed, outsideOnline, outsideOffline } = view.population
  if (present > 0) {
    // Without their number: it would be another line, and another row written, with every report.
    return [{ kind: 'wait', reason: 'devices are on the way', present }]
  }
  const ofWave = view.roll && labelled(view, view.roll)
  if (ofWave) return [ofWave]
  const offline = away + outsideOffline
  if (away === members) {
    // All of them were retired, or the last one lost its label.
    if (members + outsideOnline + outsideOffline === 0 && isLast(view))
      return [settled('no device of the class is meant')]
    return [wait(`no device of the class is online (${offline} offline)`)]
  }
  if (view.watch?.kind === 'watching') return [wait(view.watch.reason)]
  if (view.watch?.kind === 'unknown')
    return [{ kind: 'event', event: 'gate-failed', reason: view.watch.reason }]
  if (isLast(view)) return [settled(later(offline))]
  const verdict = judgeGate(view.gate, view.population)
  if (verdict.kind !== 'passed' && active + failed > 0) {
    return [{ kind: 'event', event: 'gate-failed', reason: verdict.reason }]
  }
  return [opens(view, `wave ${view.wave + 1} settled`)]
}

/** What a wave of a label has to say before its numbers do. */
function labelled(view: RolloutView, { members, outside }: Roll): RolloutStep | null {
  const wave = view.waves[view.wave]
  if (!wave || !('where' in wave) || isLast(view)) return null
  const isMeant = isOf(wave.where)
  const meant = [...members, ...outside].filter(isMeant)
  if (meant.length === 0) return opens(view, `${printWave(wave)}: no device of the class`)
  const reached = members.some((m) => standingOf(m.state) !== 'under-way' && isMeant(m))
  if (reached) return null
  return wait(`${printWave(wave)}: ${meant.length} devices, none of them online`)
}

function opens({ approval }: RolloutView, reason: string): RolloutStep {
  return { kind: 'event', event: approval ? 'approval-needed' : 'wave-passed', reason }
}

function wait(reason: string): RolloutStep {
  return { kind: 'wait', reason, present: 0 }
}

function settled(reason: string): RolloutStep {
  return { kind: 'event', event: 'all-settled', reason }
}

function isOf(where: Selector): (placed: Placed) => boolean {
  return ({ subject }) => subject !== undefined && matches(where, subject)
}

function isLast(view: RolloutView): boolean {
  return view.wave >= view.waves.length - 1
}

function later(offline: number): string {
  return offline === 0
    ? 'every device is settled'
    : `${offline} offline will be served when they appear`
}
