import { formatPercent } from '../../../shared/units.ts'
import type { Graph, GraphOperator, OperatorId } from '../../graph/index.ts'
import { usesOf, workOf } from '../../graph/index.ts'
import type { Candidate, Services } from '../recovery/candidate.ts'
import type { SqnrEvaluator } from '../recovery/sqnr-evaluator.ts'

/** Operators that could compute in float together, and what that would do. */
export interface Island {
  readonly operators: readonly OperatorId[]
  /** Share of the error at the outputs that goes. */
  readonly removes: number
  /** Share of the model's arithmetic that is then done in float. */
  readonly costs: number
}

/** An island that removes less than this is not worth its conversions. */
const LEAST_GAIN = 0.01

/** Conversions at an island's shores, as a share of a usual model's work. */
const SHORES = 0.01

/**
 * Measures what quantizing each operator does to the outputs: each alone goes back to float, and so does each with
 * the readers of its result, for what lies between them is rounded as long as one of them is integer. The ones that
 * remove most for what they cost come first.
 */
export async function islandsBySensitivity(
  candidate: Candidate,
  sqnr: SqnrEvaluator,
  services: Pick<Services, 'plan'>,
  onTrial: (done: number, total: number) => void,
): Promise<Island[]> {
  const all = noiseAt(await sqnr.sqnrDb(candidate))
  const groups = candidates(candidate)
  const found: Island[] = []
  const total = workOfAll(candidate.request.graph.operators, candidate.request.graph)
  for (const [at, operators] of groups.entries()) {
    const trial = inFloat(candidate, [{ operators, removes: 0, costs: 0 }], services)
    const left = noiseAt(await sqnr.sqnrDb(trial))
    const members = operators.flatMap((id) => candidate.request.graph.operators[id] ?? [])
    const costs = workOfAll(members, candidate.request.graph) / total
    found.push({ operators, removes: all === 0 ? 0 : 1 - left / all, costs })
    onTrial(at + 1, groups.length)
  }
  const price = ({ removes, costs }: Island) => removes / (costs + SHORES)
  return found.filter(({ removes }) => removes >= LEAST_GAIN).sort((a, b) => price(b) - price(a))
}

/** The candidate with some islands in float, and why. */
export function inFloat(
  candidate: Candidate,
  islands: readonly Island[],
  services: Pick<Services, 'plan'>,
): Candidate {
  const selectors = islands.map(({ operators, removes }) => ({
    where: ({ id }: GraphOperator) => operators.includes(id),
    because: `the accuracy budget needs it: ${formatPercent(removes)} of the error at the outputs goes with it`,
  }))
  const request = {
    ...candidate.request,
    keepFloat: [...candidate.request.keepFloat, ...selectors],
  }
  return { ...candidate, request, plan: services.plan(request) }
}

function candidates({ plan, request }: Candidate): OperatorId[][] {
  const { graph, links, facts } = request
  const integer = new Set(
    plan.instructions.flatMap((one) => (one.verb === 'compute' ? one.operator : [])),
  )
  const computing = graph.operators.filter(
    ({ id, kind }) => integer.has(id) && facts[kind].integer?.output.law !== 'same-as-input',
  )
  const alone = computing.map(({ id }) => [id])
  const withReaders = computing.flatMap(({ id, outputs }) => {
    const readers = outputs.flatMap((output) =>
      usesOf(links, output).flatMap((use) => (use.kind === 'input' ? use.operator : [])),
    )
    const reached = [...new Set(readers)].filter((reader) => integer.has(reader))
    return reached.length === 0 ? [] : [[id, ...reached]]
  })
  return [...alone, ...withReaders]
}

function workOfAll(operators: readonly GraphOperator[], graph: Graph): number {
  return operators.reduce((sum, operator) => sum + workOf(operator, graph), 0)
}

function noiseAt(sqnrDb: number): number {
  return 10 ** (-sqnrDb / 10)
}
