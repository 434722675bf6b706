import { matches, type Selector } from '../groups/index.ts'
import { judgeGate } from './gates.ts'
import { brokenGroups, groupsToCome } from './groups.ts'
import { standingOf } from './members.ts'
import { ratePerMinute } from './rate.ts'
import { type OwnRolloutEvent, SERVING } from './states.ts'
import type { Member, Placed, RolloutView } from './view.ts'
import { printWave, waveTarget } from './waves.ts'

export type RolloutStep =
  | { readonly kind: 'enlist'; readonly device: string }
  /** What its mates could not keep, the device gives back. */
  | { readonly kind: 'withdraw'; readonly device: string; readonly reason: string }
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
  const broken = stoppable || view.state === 'done' ? brokenGroups(view) : []
  if (broken.length > 0) return broken.map((each) => ({ kind: 'withdraw', ...each }))
  if (!SERVING.includes(view.state)) return []
  const groups = enlist(view)
  if (groups.length > 0) return atItsRate(view, groups)
  return view.state === 'running' ? advance(view) : []
}

type Groups = ReturnType<typeof groupsToCome>

/** A group that is larger than a minute's share goes alone. */
function atItsRate(view: RolloutView, groups: Groups): readonly RolloutStep[] {
  const { rate, toldThisMinute = 0 } = view
  const least = rate ? ratePerMinute(rate, tally(view.members).active) : Number.POSITIVE_INFINITY
  let told = toldThisMinute
  const now: string[] = []
  for (const group of groups) {
    if (told > 0 && told + group.length > least) break
    told += group.length
    now.push(...group.map(({ device }) => device))
  }
  if (now.length > 0) return now.map((device) => ({ kind: 'enlist', device }))
  return [wait(`${least} a minute: ${groups.flat().length} devices wait their turn`)]
}

/** Whole groups up to the wave's target; members that went offline before they settled hold no place. */
function enlist(view: RolloutView): Groups {
  const groups = groupsToCome(view)
  if (view.state === 'done' || isLast(view)) return groups
  const wave = view.waves[view.wave]
  if (!wave) return []
  if ('where' in wave) return groups.filter((group) => group.some(isOf(wave.where)))
  const target = waveTarget(wave, view.members.length + view.outside.length)
  const reached = view.members.filter((m) => {
    const standing = standingOf(m.state)
    return standing === 'under-way' ? m.online : standing !== 'aside'
  }).length
  const taken: Groups[number][] = []
  for (const group of groups) {
    if (reached + taken.flat().length >= target) break
    taken.push(group)
  }
  return taken
}

function advance(view: RolloutView): readonly RolloutStep[] {
  const underWay = view.members.filter((m) => standingOf(m.state) === 'under-way')
  const present = underWay.filter((m) => m.online)
  if (present.length > 0) {
    return [
      { kind: 'wait', reason: `${present.map((m) => m.device).join(', ')}: ${present[0]?.state}` },
    ]
  }
  const all = [...view.members, ...view.outside]
  const wave = view.waves[view.wave]
  if (wave && 'where' in wave && !isLast(view)) {
    const meant = all.filter(isOf(wave.where))
    const reached = view.members.some(
      (m) => standingOf(m.state) !== 'under-way' && isOf(wave.where)(m),
    )
    if (meant.length === 0) return [opens(view, `${printWave(wave)}: no device of the class`)]
    if (!reached) return [wait(`${printWave(wave)}: ${meant.length} devices, none of them online`)]
  }
  const offline = [...underWay, ...view.outside.filter((device) => !device.online)]
  if (underWay.length === view.members.length) {
    // All of them were retired, or the last one lost its label.
    if (all.length === 0 && isLast(view)) return [settled('no device of the class is meant')]
    return [wait(`no device of the class is online (${offline.length} offline)`)]
  }
  if (isLast(view)) return [settled(later(offline.length))]
  const counted = tally(view.members)
  const verdict = judgeGate(view.gate, counted)
  if (verdict.kind !== 'passed' && counted.active + counted.failed > 0) {
    return [{ kind: 'event', event: 'gate-failed', reason: verdict.reason }]
  }
  return [opens(view, `wave ${view.wave + 1} settled`)]
}

function opens({ approval }: RolloutView, reason: string): RolloutStep {
  return { kind: 'event', event: approval ? 'approval-needed' : 'wave-passed', reason }
}

function wait(reason: string): RolloutStep {
  return { kind: 'wait', reason }
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
