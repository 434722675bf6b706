import { linksOf } from '../../graph/links.ts'
import { knownCosts } from '../../targets/kernels/onnxruntime-costs.ts'
import { FACTS } from '../../targets/targets.ts'
import { QuantizerError } from '../errors.ts'
import { openModel } from '../open.ts'
import type { OperatorSelector } from '../plan/selectors.ts'
import type { QuantizeRequest } from '../request.ts'
import { targetOf } from '../target.ts'
import { proposals } from './propose.ts'

/**
 * The operators that are known to be slower on integers, with all borders counted, for a device that nobody can profile.
 * @throws QuantizerError `nothing-selected` where none are
 */
export async function slowOnIntegers(request: QuantizeRequest): Promise<OperatorSelector> {
  const { format, scheme } = request
  const { graph } = await openModel(request)
  const facts = FACTS[format]
  const integer = new Set(
    graph.operators
      .filter(({ kind, integerObstacle }) => facts[kind].integer !== null && !integerObstacle)
      .map(({ id }) => id),
  )
  const { activations } = targetOf({ ...scheme, suffixes: plainSuffixes(scheme) }, {}, format)
  const [best] = proposals(
    { graph, links: linksOf(graph), facts, integer },
    knownCosts(graph, activations),
  )
  if (best === undefined) {
    throw new QuantizerError(
      'nothing-selected',
      'no operator of the model is known to be faster in float, conversions counted',
    )
  }
  const because = 'kernels for such sizes are known to be slower on integers'
  return { where: ({ id }) => best.float.has(id), because }
}

function plainSuffixes({ suffixes }: QuantizeRequest['scheme']) {
  return suffixes.filter((suffix) => suffix !== 'mixed')
}
