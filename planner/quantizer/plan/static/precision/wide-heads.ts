import type { Graph, GraphOperator, OperatorId, TensorId } from '../../../../graph/index.ts'
import { elementsOf, workOf } from '../../../../graph/index.ts'
import { isProduct, type Scene } from './scene.ts'

/** Logits: half a step of this moves a probability by a sixteenth. */
const WIDEST_STEP = 0.5

/** Of the work, and of the weights, of all products: what all such heads together may take. */
const LITTLE = 0.03

/**
 * Last products whose numbers go far beyond those that decide, as logits of detectors do, with what stands behind them:
 * in float, where edges are float and it is little. One is in float only with all that follows, or codes come back.
 */
export function wideHeadsOf(scene: Scene): Set<OperatorId> {
  const { graph, forms } = scene.request
  const found = new Set<OperatorId>()
  if (forms.edges !== 'float32') return found
  const products = scene.operators.filter(isProduct)
  const budget = {
    work: LITTLE * totalOf(products, workOf, graph),
    weights: LITTLE * totalOf(products, weightsOf, graph),
  }
  const heads = products.filter(
    (product) =>
      graph.subgraphs[product.subgraph]?.entry === true &&
      product.outputs.some((output) => isWide(output, scene)),
  )
  // The smallest first: scores take less than boxes, and are what decides.
  for (const head of heads.sort((a, b) => weightsOf(a, graph) - weightsOf(b, graph))) {
    const after = behind(head, scene)
    if (after === null) continue
    budget.work -= workOf(head, graph)
    budget.weights -= weightsOf(head, graph)
    if (budget.work < 0 || budget.weights < 0) break
    for (const id of [head.id, ...after]) found.add(id)
  }
  return found
}

/** By all that was seen of it: least squares cut off the few numbers that say something was found. */
function isWide(output: TensorId, scene: Scene): boolean {
  return (scene.seenStepOf(output) ?? 0) > WIDEST_STEP
}

/** Everything between a product and the outputs; null where it meets another product. */
function behind(
  operator: GraphOperator,
  scene: Scene,
  seen: Set<OperatorId> = new Set(),
): Set<OperatorId> | null {
  for (const reader of scene.readersOf(operator)) {
    if (seen.has(reader.id)) continue
    if (isProduct(reader)) return null
    seen.add(reader.id)
    if (behind(reader, scene, seen) === null) return null
  }
  return seen
}

function weightsOf({ inputs }: GraphOperator, graph: Graph): number {
  return elementsOf(inputs.find(({ role }) => role === 'weight')?.tensor, graph)
}

function totalOf(
  operators: readonly GraphOperator[],
  of: (operator: GraphOperator, graph: Graph) => number,
  graph: Graph,
): number {
  return operators.reduce((sum, operator) => sum + of(operator, graph), 0)
}
