import type { GraphOperator } from '../../graph/index.ts'
import { saturationRisks } from '../plan/saturation.ts'
import type { Recovered } from './state.ts'

/**
 * Leaves in float, where asked to, what would often saturate: by the weights as recovery left them. Sums that saturate
 * seldom cost less than float would.
 */
export function spareSaturating(state: Recovered): Recovered {
  const { candidate, services, request: order } = state
  const { plan, model, statistics, request } = candidate
  if (!order.options?.spareSaturating) return state
  const risks = saturationRisks(plan, model.graph, statistics).filter(({ often }) => often > 0)
  if (risks.length === 0) return state
  const risky = new Set(risks.map(({ operator }) => operator))
  const because = 'its sums often saturate on x86 without VNNI'
  const selector = { where: ({ name }: GraphOperator) => risky.has(name), because }
  const spared = { ...request, keepFloat: [...request.keepFloat, selector] }
  return { ...state, candidate: { ...candidate, request: spared, plan: services.plan(spared) } }
}
