import { viewOf } from '../../../../planner/formats/tflite/view.ts'
import type { Plan } from '../../../../planner/graph/instructions.ts'
import { linksOf } from '../../../../planner/graph/links.ts'
import type { QuantizeOptions } from '../../../../planner/quantizer/options.ts'
import { planScheme } from '../../../../planner/quantizer/plan/plan.ts'
import { printPlan } from '../../../../planner/quantizer/plan/print.ts'
import type { PlanRequest } from '../../../../planner/quantizer/plan/request.ts'
import { LITERT_KERNELS } from '../../../../planner/targets/kernels/litert.ts'
import { parseScheme } from '../../../../shared/schemes.ts'
import { buildModel, type ModelSpec } from '../model-builder.ts'

export interface Planning {
  readonly model: ModelSpec | readonly ModelSpec[]
  readonly scheme: string
  /** Range of each activation by name; one that is missing was never reached. */
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>
  readonly keepFloat?: QuantizeOptions['keepFloat']
  readonly forms?: Partial<PlanRequest['forms']>
}

/** The plan for a model whose activations have the given ranges. */
export function planned(planning: Planning): { plan: Plan; request: PlanRequest; text: string[] } {
  const specs = [planning.model].flat() as readonly ModelSpec[]
  const graph = viewOf(buildModel(...specs))
  const scheme = parseScheme(planning.scheme)
  const ranges = new Map(
    graph.tensors.flatMap(({ id, name }) => {
      const range = planning.ranges?.[name]
      return range === undefined ? [] : [[id, { min: range[0], max: range[1] }] as const]
    }),
  )
  const edges = planning.scheme.includes('iou8')
    ? 'uint8'
    : planning.scheme.includes('io8')
      ? 'int8'
      : 'float32'
  const fields = {
    graph,
    links: linksOf(graph),
    facts: LITERT_KERNELS,
    ranges,
    unusable: new Map<number, string>(),
    unbounded: new Set<number>(),
    revisions: new Map(),
    keepFloat: planning.keepFloat ?? [],
    runtimeObstacle: () => null,
    forms: {
      activations: planning.scheme.includes('a16') ? ('int16' as const) : ('int8' as const),
      weightBits: 8 as const,
      edges: edges as PlanRequest['forms']['edges'],
      perChannelFullyConnected: true,
      perChannelHybridFullyConnected: false,
      ...planning.forms,
    },
  }
  const request: PlanRequest = fields
  const plan = planScheme(scheme, request)
  return { plan, request, text: printPlan(plan, graph).split('\n') }
}

/** The lines about tensors' forms: what is made, stored and converted how. */
export function formsOf(text: readonly string[]): string[] {
  return text.filter((line) => /^(make|store|convert|add)/.test(line))
}
