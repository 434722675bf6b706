import type { Scheme } from '../../shared/schemes.ts'
import type { Graph, ModelFormats, OperatorTally, Range, TensorId } from '../graph/index.ts'
import { type KernelTable, type TargetName, targetOf } from '../targets/index.ts'
import { codeFormsOf } from './code-forms.ts'
import { learntRanges } from './measure.ts'
import { openModel } from './open.ts'
import { planRequestOf } from './phases/plan-first.ts'
import { planScheme } from './plan/plan.ts'

export interface AsLearnt {
  readonly bytes: Uint8Array
  readonly operators: OperatorTally
}

/**
 * Integer kernels with the scales that the file itself states, and no others: nothing is calibrated, and operators
 * between tensors of which it says nothing stay in float. Null where it states none, or no kernel takes them.
 * @throws the format's errors
 */
export async function quantizeAsLearnt(order: {
  readonly model: Uint8Array
  readonly target: TargetName
  readonly formats: ModelFormats
  readonly scheme: Scheme
}): Promise<AsLearnt | null> {
  const opened = await openModel(order)
  const { graph } = opened
  const target = targetOf(order.target)
  const ranges = alongMoves(graph, learntRanges(graph), target.kernels)
  const request = planRequestOf({
    opened,
    measured: { ranges, unusable: new Map(), unbounded: new Set() },
    request: order,
    target,
    forms: codeFormsOf(order.scheme, {}, target),
  })
  const plan = planScheme(order.scheme, request)
  return plan.operators.integer === 0
    ? null
    : { bytes: opened.perform(plan), operators: plan.operators }
}

/** What only moves numbers holds the same ones before and behind it: a range that one side states is the other's as well. */
function alongMoves(
  graph: Graph,
  stated: ReadonlyMap<TensorId, Range>,
  facts: KernelTable,
): ReadonlyMap<TensorId, Range> {
  const ranges = new Map(stated)
  const moves = graph.operators.filter(({ kind }) => {
    const { movesOnly, integer } = facts[kind]
    return movesOnly && integer?.output.law === 'same-as-input'
  })
  const take = (to: TensorId, from: TensorId) => {
    const range = ranges.get(from)
    if (range !== undefined && !ranges.has(to)) ranges.set(to, range)
  }
  const source = ({ inputs }: (typeof moves)[number]) =>
    inputs.find(({ role }) => role === 'activation')?.tensor ?? null
  for (const operator of moves) {
    const from = source(operator)
    if (from !== null) for (const to of operator.outputs) take(to, from)
  }
  for (const operator of moves.toReversed()) {
    const to = source(operator)
    const [from] = operator.outputs
    if (to !== null && from !== undefined && operator.outputs.length === 1) take(to, from)
  }
  return ranges
}
