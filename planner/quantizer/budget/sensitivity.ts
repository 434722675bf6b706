import { formatPercent } from '../../../shared/units.ts'
import type { Graph, GraphOperator, OperatorId } from '../../formats/graph.ts'
import { usesOf } from '../../formats/links.ts'
import { workOf } from '../plan/work.ts'
import type { Gauge } from '../recovery/gauge.ts'
import type { Subject, Tools } from '../recovery/subject.ts'

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
  subject: Subject,
  gauge: Gauge,
  tools: Pick<Tools, 'plan'>,
  onTrial: (done: number, total: number) => void,
): Promise<Island[]> {
  const all = noiseAt(await gauge.sqnrDb(subject))
  const groups = candidates(subject)
  const found: Island[] = []
  const total = workOfAll(subject.request.graph.operators, subject.request.graph)
  for (const [at, operators] of groups.entries()) {
    const trial = inFloat(subject, [{ operators, removes: 0, costs: 0 }], tools)
    const left = noiseAt(await gauge.sqnrDb(trial))
    const members = operators.flatMap((id) => subject.request.graph.operators[id] ?? [])
    const costs = workOfAll(members, subject.request.graph) / total
    found.push({ operators, removes: all === 0 ? 0 : 1 - left / all, costs })
    onTrial(at + 1, groups.length)
  }
  const price = ({ removes, costs }: Island) => removes / (costs + SHORES)
  return found.filter(({ removes }) => removes >= LEAST_GAIN).sort((a, b) => price(b) - price(a))
}

/** The subject with some islands in float, and why. */
export function inFloat(
  subject: Subject,
  islands: readonly Island[],
  tools: Pick<Tools, 'plan'>,
): Subject {
  const selectors = islands.map(({ operators, removes }) => ({
    where: ({ id }: GraphOperator) => operators.includes(id),
    because: `the accuracy budget needs it: ${formatPercent(removes)} of the error at the outputs goes with it`,
  }))
  const request = { ...subject.request, keepFloat: [...subject.request.keepFloat, ...selectors] }
  return { ...subject, request, plan: tools.plan(request) }
}

function candidates({ plan, request }: Subject): OperatorId[][] {
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
