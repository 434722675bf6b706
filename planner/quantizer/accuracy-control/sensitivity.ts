import { formatPercent } from '../../../shared/units.ts'
import type { Graph, GraphOperator, OperatorId } from '../../graph/index.ts'
import { workOf } from '../../graph/index.ts'
import type { Candidate, Services } from '../recovery/candidate.ts'

/** Operators that could compute in float together, and what that would do. */
export interface Island {
  readonly operators: readonly OperatorId[]
  /** Their share of the noise at the outputs. */
  readonly removes: number
  /** Share of the model's arithmetic that is then done in float. */
  readonly costs: number
}

export interface Sensing {
  readonly plan: Services['plan']
  /** Noise over signal at the outputs. */
  noise(candidate: Candidate): Promise<number>
  onTrial(done: number, total: number): void
  readonly signal: AbortSignal | undefined
}

/** Conversions at an island's shores, as a share of a usual model's work. */
const SHORES = 0.01

/** The first cut of a model, and how many pieces are looked at in all. */
const PIECES = 16
const MOST_TRIALS = 96

/** A piece with less of the noise is not looked into any further. */
const TELLING = 1 / 32

interface Piece {
  readonly operators: readonly OperatorId[]
  readonly noise: number
}

/**
 * Measures what quantizing each part of a model does to its outputs, everything else being in float: where all is lost in
 * noise, taking a part out of it would show nothing. Pieces in the order of computing; those with most noise are halved
 * until they are single operators, or enough was tried. The ones with most noise for their work come first.
 */
export async function islandsBySensitivity(
  candidate: Candidate,
  sensing: Sensing,
): Promise<Island[]> {
  const { graph } = candidate.request
  const integer = computing(candidate)
  const total = Math.min(MOST_TRIALS, 2 * integer.length)
  let trials = 0
  const measured = async (operators: readonly OperatorId[]): Promise<Piece> => {
    const noise = await sensing.noise(alone(candidate, operators, sensing))
    trials += 1
    sensing.onTrial(trials, total)
    return { operators, noise }
  }
  const pieces: Piece[] = []
  for (const operators of cut(integer, PIECES)) {
    if (sensing.signal?.aborted) break
    pieces.push(await measured(operators))
  }
  while (trials + 2 <= MOST_TRIALS && !sensing.signal?.aborted) {
    const worst = nextToHalve(pieces)
    if (worst === undefined) break
    const halves = cut(worst.operators, 2)
    pieces.splice(pieces.indexOf(worst), 1)
    for (const half of halves) pieces.push(await measured(half))
  }
  return ranked(pieces, graph)
}

function ranked(pieces: readonly Piece[], graph: Graph): Island[] {
  const noise = pieces.reduce((sum, piece) => sum + piece.noise, 0)
  const work = workOfAll(graph.operators, graph)
  const islands = pieces.map(({ operators, noise: own }): Island => {
    const members = operators.flatMap((id) => graph.operators[id] ?? [])
    const removes = noise === 0 ? 0 : own / noise
    return { operators, removes, costs: workOfAll(members, graph) / work }
  })
  const price = ({ removes, costs }: Island) => removes / (costs + SHORES)
  return islands.filter(({ removes }) => removes > 0).sort((a, b) => price(b) - price(a))
}

/** That with most noise, for as long as there is enough in it to be told apart. */
function nextToHalve(pieces: readonly Piece[]): Piece | undefined {
  const all = pieces.reduce((sum, { noise }) => sum + noise, 0)
  return pieces
    .filter(({ operators, noise }) => operators.length > 1 && noise > TELLING * all)
    .sort((a, b) => b.noise - a.noise)[0]
}

function cut(operators: readonly OperatorId[], pieces: number): OperatorId[][] {
  const count = Math.min(pieces, operators.length)
  return Array.from({ length: count }, (_, i) =>
    operators.slice(
      Math.round((i * operators.length) / count),
      Math.round(((i + 1) * operators.length) / count),
    ),
  )
}

function alone(
  candidate: Candidate,
  operators: readonly OperatorId[],
  { plan }: Pick<Services, 'plan'>,
): Candidate {
  const kept = new Set(operators)
  const selector = { where: ({ id }: GraphOperator) => !kept.has(id) }
  const request = { ...candidate.request, keepFloat: [selector] }
  return { ...candidate, request, plan: plan(request) }
}

/** The candidate with some islands in float, and why. */
export function inFloat(
  candidate: Candidate,
  islands: readonly Island[],
  services: Pick<Services, 'plan'>,
): Candidate {
  const selectors = islands.map(({ operators, removes }) => {
    const chosen = new Set(operators)
    return {
      where: ({ id }: GraphOperator) => chosen.has(id),
      because: `the accuracy budget needs it: ${formatPercent(removes)} of the noise at the outputs ${operators.length > 1 ? `comes from it and ${operators.length - 1} beside it` : 'is its own'}`,
    }
  })
  const request = {
    ...candidate.request,
    keepFloat: [...candidate.request.keepFloat, ...selectors],
  }
  return { ...candidate, request, plan: services.plan(request) }
}

/** What computes on integers, in the order of computing; who only passes codes on has no noise of its own. */
export function computing({ plan, request }: Candidate): OperatorId[] {
  const { graph, facts } = request
  const integer = new Set(
    plan.instructions.flatMap((one) => (one.verb === 'compute' ? one.operator : [])),
  )
  return graph.operators
    .filter(
      ({ id, kind }) => integer.has(id) && facts[kind].integer?.output.law !== 'same-as-input',
    )
    .map(({ id }) => id)
}

/** Share of a model's arithmetic that a plan does on integers. */
export function integerShare({ plan, request }: Candidate): number {
  const { graph } = request
  const integer = plan.instructions.flatMap((one) =>
    one.verb === 'compute' ? (graph.operators[one.operator] ?? []) : [],
  )
  const all = workOfAll(graph.operators, graph)
  return all === 0 ? 0 : workOfAll(integer, graph) / all
}

function workOfAll(operators: readonly GraphOperator[], graph: Graph): number {
  return operators.reduce((sum, operator) => sum + workOf(operator, graph), 0)
}
