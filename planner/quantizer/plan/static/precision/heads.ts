import type { Graph, GraphOperator, OperatorId } from '../../../../graph/index.ts'
import { elementsOf, usesOf, workOf } from '../../../../graph/index.ts'
import { isProduct, type Scene } from './scene.ts'

/** In float, a number costs about so many multiply-adds on integers. */
const FLOAT_COSTS = 8

/**
 * What stands between the last products and the model's outputs, where those are float and it is little beside the
 * products: nothing behind it would profit from its codes.
 */
export function headsOf(scene: Scene): Set<OperatorId> {
  const { graph, links, forms } = scene.request
  const heads = new Set<OperatorId>()
  if (forms.edges !== 'float32') return heads
  for (const operator of [...scene.operators].reverse()) {
    if (isProduct(operator) || graph.subgraphs[operator.subgraph]?.entry !== true) continue
    const uses = operator.outputs.flatMap((output) => usesOf(links, output))
    const ends = uses.every((use) => use.kind === 'output' || heads.has(use.operator))
    if (ends && uses.length > 0) heads.add(operator.id)
  }
  const members = scene.operators.filter(({ id }) => heads.has(id))
  const products = scene.operators.filter(isProduct)
  const spared = members.reduce((sum, operator) => sum + numbersAt(operator, graph), 0)
  const work = products.reduce((sum, operator) => sum + workOf(operator, graph), 0)
  const worthwhile = members.some((operator) => !scene.copies(operator))
  return worthwhile && FLOAT_COSTS * spared <= work ? heads : new Set()
}

/** Read or made, whichever are more. */
function numbersAt({ inputs, outputs }: GraphOperator, graph: Graph): number {
  const read = inputs.map(({ tensor, role }) =>
    role === 'activation' ? elementsOf(tensor, graph) : 0,
  )
  const made = outputs.map((output) => elementsOf(output, graph))
  return Math.max(0, ...read, ...made)
}
