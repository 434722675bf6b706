import type { GraphOperator, OperatorId, TensorId } from '../../../../graph/index.ts'
import { isProduct, type Scene } from './scene.ts'

/** What reads logits: differences of a step are factors of exp(step) there. */
const EXPONENTIAL: ReadonlySet<string> = new Set(['softmax', 'log-softmax', 'exp'])

/** A step of logits beyond which probabilities are off by a twentieth: 40 over 255 steps. */
const WIDEST_STEP = 40 / 255

/**
 * Logits that a mask drives far below all others, or to −∞, from where that happens to the softmax: their codes would
 * say nothing of the rest.
 */
export function maskedLogitsOf(scene: Scene): Set<OperatorId> {
  const masked = new Set<OperatorId>()
  for (const operator of scene.operators) {
    const logits = operator.inputs[0]?.tensor ?? null
    if (!EXPONENTIAL.has(operator.kind) || logits === null || !isWide(logits, scene)) continue
    masked.add(operator.id)
    const follow = (maker: GraphOperator, made: TensorId) =>
      !isProduct(maker) && isWide(made, scene)
    scene.collectBefore(logits, follow, masked)
  }
  return masked
}

function isWide(tensor: TensorId, scene: Scene): boolean {
  return scene.request.unbounded.has(tensor) || (scene.stepOf(tensor) ?? 0) > WIDEST_STEP
}
