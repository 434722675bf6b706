import { type BaseScheme, printScheme, type Scheme } from '../../../shared/schemes.ts'
import type { Plan } from '../../graph/index.ts'
import { QuantizerError } from '../errors.ts'
import { planBlocks } from './blocks.ts'
import { planDynamic } from './dynamic.ts'
import { planHalf } from './half.ts'
import type { PlanRequest } from './request.ts'
import { planStatic } from './static/static.ts'
import { planWeights } from './weights.ts'

/** One planner for each way of storing and computing numbers; null where this version has none. */
const PLANNERS: Record<BaseScheme, ((request: PlanRequest) => Plan) | null> = {
  float32: planAsGiven,
  float16: planHalf,
  'dynamic-w8': planDynamic,
  'static-w8a8': planStatic,
  'static-w8a16': planStatic,
  'weight-w8': planWeights,
  'weight-w4-b32': planBlocks,
}

/** @throws QuantizerError when no planner knows the scheme. */
export function planScheme(scheme: Scheme, request: PlanRequest): Plan {
  const planner = PLANNERS[scheme.base]
  if (planner === null) {
    throw new QuantizerError(
      'unsupported-scheme',
      `scheme ${printScheme(scheme)} is not available for this model format yet: use static-w8a8, dynamic-w8 or float16`,
    )
  }
  return planner(request)
}

function planAsGiven({ graph }: PlanRequest): Plan {
  const total = graph.operators.length
  return { instructions: [], findings: [], operators: { total, integer: 0, float: total } }
}
