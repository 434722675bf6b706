import { linksOf } from '../../graph/index.ts'
import { targetOf } from '../../targets/index.ts'
import { codeFormsOf, plainScheme } from '../code-forms.ts'
import { QuantizerError } from '../errors.ts'
import { openModel } from '../open.ts'
import type { OperatorSelector } from '../plan/selectors.ts'
import type { QuantizeRequest } from '../request.ts'
import { proposals } from './propose.ts'

/**
 * The operators that are known to be slower on integers, with all borders counted, for a device that nobody can profile.
 * @throws QuantizerError `nothing-selected` where none are
 */
export async function slowOnIntegers(request: QuantizeRequest): Promise<OperatorSelector> {
  const target = targetOf(request.target)
  const { graph } = await openModel(request)
  const facts = target.kernels
  const integer = new Set(
    graph.operators
      .filter(({ kind, integerObstacle }) => facts[kind].integer !== null && !integerObstacle)
      .map(({ id }) => id),
  )
  const { activations } = codeFormsOf(plainScheme(request.scheme), {}, target)
  const costs = target.knownCosts?.(graph, activations)
  const mixable = { graph, links: linksOf(graph), facts, integer }
  const [best] = costs === undefined ? [] : proposals(mixable, costs)
  if (best === undefined) {
    throw new QuantizerError(
      'nothing-selected',
      'no operator of the model is known to be faster in float, conversions counted',
    )
  }
  const because = 'kernels for such sizes are known to be slower on integers'
  return { where: ({ id }) => best.float.has(id), because }
}
