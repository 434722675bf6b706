import type { Graph, Plan, QuantizableModel, TensorId } from '../../graph/index.ts'
import { linksOf } from '../../graph/index.ts'
import type { PlanRequest } from '../plan/request.ts'
import type { Services } from './candidate.ts'

/** A model that gives out other tensors than its own outputs, of which the same plans can be made. */
export interface Shown {
  readonly model: QuantizableModel
  /** In the order of its outputs. */
  readonly outputs: readonly TensorId[]
}

/** Null where places in the two models differ: plans name tensors and operators by them. */
export async function show(
  model: QuantizableModel,
  tensors: readonly TensorId[],
  services: Pick<Services, 'open'>,
): Promise<Shown | null> {
  const [entry] = model.entries
  if (entry === undefined || tensors.length === 0) return null
  const { bytes, outputs } = model.instrument(entry, [...new Set(tensors)])
  const shown = await services.open(bytes)
  return isBeginningOf(shown.graph, model.graph) ? { model: shown, outputs } : null
}

/** The model's plan for what is shown of it. Types at its edges do not matter, and are float here. */
export function planFor(
  { graph }: QuantizableModel,
  request: PlanRequest,
  services: Pick<Services, 'plan'>,
): Plan {
  return services.plan({ ...request, graph, links: linksOf(graph), measured: true })
}

function isBeginningOf(part: Graph, whole: Graph): boolean {
  return (
    part.tensors.every(({ id, name }) => whole.tensors[id]?.name === name) &&
    part.operators.every(({ id, name, kind }) => {
      const other = whole.operators[id]
      return other?.name === name && other.kind === kind
    })
  )
}
