import type { Graph, GraphOperator, MomentsPlan, OperatorId, TensorId } from '../../graph/index.ts'
import { momentBytes } from '../observers/moments.ts'

/** For all products together; the ones that find no room any more go without. */
const MOST_BYTES = 128 * 1024 * 1024

/** What to observe for those of `products` whose weight is a float constant, by the activation they read. */
export function momentsPlans(
  graph: Graph,
  products: ReadonlySet<OperatorId>,
): Map<TensorId, MomentsPlan[]> {
  const plans = new Map<TensorId, MomentsPlan[]>()
  let bytes = 0
  for (const operator of graph.operators) {
    if (!products.has(operator.id)) continue
    const source = operator.inputs.find(({ role }) => role === 'activation')?.tensor ?? null
    const plan = source === null ? null : planOf(operator, source, graph)
    if (source === null || plan === null) continue
    const more = momentBytes(plan)
    if (bytes + more > MOST_BYTES) continue
    bytes += more
    plans.set(source, [...(plans.get(source) ?? []), plan])
  }
  return plans
}

function planOf(operator: GraphOperator, source: TensorId, graph: Graph): MomentsPlan | null {
  const width = widthOf(operator, graph)
  const { window } = operator
  if (width === null || window === null) return null
  const axis = operator.inputs.find(({ role }) => role === 'activation')?.channelAxis ?? null
  const shape = graph.tensors[source]?.shape ?? []
  const channelsFirst = axis === 1 && shape.length > 2
  const plan = { operator: operator.id, width, channelsFirst, window }
  if (window.length === 0) return channelsFirst || width < 1 ? null : { ...plan, groups: 1 }
  const groups = (shape.at(axis ?? -1) ?? 0) / width
  return Number.isInteger(groups) && groups >= 1 ? { ...plan, groups } : null
}

/** Input channels that each output channel reads; null where the weight is no float constant. */
function widthOf(operator: GraphOperator, graph: Graph): number | null {
  const input = operator.inputs.find(({ role }) => role === 'weight')
  const weight = graph.tensors[input?.tensor ?? -1]
  if (input === undefined || !weight?.constant || weight.type !== 'float32') return null
  return input.inputAxis === null ? 1 : (weight.shape?.[input.inputAxis] ?? null)
}
