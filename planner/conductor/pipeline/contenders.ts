import { hasSuffix, parseScheme } from '../../../shared/schemes.ts'
import { formatRatio } from '../../../shared/units.ts'
import {
  type Attempt,
  beatenYardsticks,
  type Entrant,
  type Evidence,
  evidenceOf,
  planTournament,
  type TournamentStep,
  type TournamentView,
} from '../../probing/index.ts'
import {
  choose,
  comparisons,
  GAIN,
  type Measured,
  near,
  type SelectionInput,
} from '../../selection/index.ts'
import { boundOf } from '../../variants/index.ts'
import type { CandidateView } from '../building/candidate-view.ts'

export interface Contenders {
  /** That are built and measured, now or later. */
  readonly active: readonly CandidateView[]
  /** That would gain nothing as far as is known, with why; not built while that holds. */
  readonly spared: ReadonlyMap<CandidateView, string>
  /** Those that do not wait were measured, and at most meet each other again. */
  readonly isTold: boolean
}

type Rules = Pick<SelectionInput, 'constraints' | 'objective' | 'room' | 'incumbent'>

/**
 * Which candidates are worth a build. One that computes as another does waits until the others are told apart, and is
 * built where it could still win: the other is near the winner, and this one would be the smaller file. Only where
 * latency is the objective; what the class runs, and what was measured already, is measured with the rest.
 * @param play the tournament of those that do not wait
 */
export function contendersOf(
  candidates: readonly CandidateView[],
  attempts: readonly Pick<Attempt, 'variant'>[],
  rules: Rules,
  play: (first: readonly CandidateView[]) => Played,
): Contenders {
  const kept = candidates.filter(({ plan }) => plan.kept)
  const waits = new Map(kept.flatMap((one) => waitsFor(one, kept, attempts, rules)))
  // What was added since waits for nobody, and nobody for it: all that is built late is measured in turns.
  const first = kept.filter((one) => !waits.has(one) && !isAddedLate(one, attempts))
  const played = play(first)
  const isTold = played !== undefined
  if (waits.size === 0) return { active: kept, spared: new Map(), isTold }
  const spared = new Map<CandidateView, string>()
  for (const [one, bounding] of waits) {
    const why = whySpared(one, bounding, rules, played)
    if (why !== undefined) spared.set(one, why)
  }
  return { active: kept.filter((one) => !spared.has(one)), spared, isTold }
}

/** What is known once those that do not wait had their heats; undefined before. */
export type Played =
  | { readonly entrants: readonly Entrant[]; readonly evidence: Evidence }
  | undefined

/** Plays the first ones by themselves, as if the others did not exist. */
export function playedBy(
  entrants: readonly Entrant[],
  view: Omit<TournamentView, 'entrants'>,
): Played {
  const step: TournamentStep = planTournament({ ...view, entrants })
  // What is built later meets the leader with the rest: no duel is worth waiting for.
  if (step.kind !== 'over' && !step.isFinal) return undefined
  return { entrants, evidence: evidenceOf(entrants, view.attempts, view.acceptNoise) }
}

/** A mixture is planned for what was measured; until it is measured itself the others are told apart without it. */
function isAddedLate(
  { plan, variant }: CandidateView,
  attempts: readonly Pick<Attempt, 'variant'>[],
): boolean {
  if (!hasSuffix(parseScheme(plan.scheme), 'mixed')) return false
  return !attempts.some((one) => one.variant === variant?.key)
}

function waitsFor(
  candidate: CandidateView,
  kept: readonly CandidateView[],
  attempts: readonly Pick<Attempt, 'variant'>[],
  { objective, incumbent }: Rules,
): [CandidateView, CandidateView][] {
  const { plan, variant } = candidate
  const bound = boundOf(plan)
  if (bound === undefined || !variant || objective !== 'latency') return []
  if (variant.key === incumbent || attempts.some((one) => one.variant === variant.key)) return []
  const bounding = kept.find(
    (one) => one.plan.scheme === bound.scheme && one.plan.runtime === bound.runtime,
  )
  return bounding?.variant && bounding.variant.state !== 'failed' ? [[candidate, bounding]] : []
}

function whySpared(
  { plan }: CandidateView,
  bounding: CandidateView,
  { constraints, objective, room, incumbent }: Rules,
  played: Played,
): string | undefined {
  const bound = boundOf(plan)
  if (bound === undefined) return undefined
  if (played === undefined) return `waits for ${bound.scheme}, which computes the same`
  const { measured, duels } = played.evidence
  const probers = new Set(
    measured.flatMap(({ latency }) => latency.on ?? []).map((on) => on.device),
  )
  const input = { constraints, objective, room, incumbent, candidates: measured, duels }
  const { winner: key } = choose({ ...input, probers: probers.size })
  const winner = measured.find((one) => one.key === key)
  const other = played.entrants.find((one) => one.key === bounding.variant?.key)
  if (!winner || !other) return undefined
  const beaten = beatenYardsticks(played.entrants, played.evidence, input).get(other.key)
  const row = measured.find((one) => one.key === other.key)
  const beside = row ? comparisons(duels, probers.size)(row, winner) : beaten?.ratio
  if (beside === undefined) return undefined
  const least = bound.leastShare * other.bytes
  const isSmaller = least < winner.bytes && !near(least, winner.bytes)
  // A smaller file wins ties; one that is no smaller would have to be shown faster.
  const couldWin = isSmaller ? beside.ci95[0] < 1 / GAIN : beside.ci95[1] <= GAIN
  if (couldWin) return undefined
  return `computes as ${bound.scheme} does on ${plan.runtime}, which takes ${formatRatio(beside.p50)} the latency of ${nameOf(winner)}${isSmaller ? '' : ', and is no smaller'}: not built`
}

function nameOf({ scheme, runtime }: Measured): string {
  return `${scheme} on ${runtime}`
}
