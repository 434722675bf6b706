import type { GraphOperator, OperatorId, TensorId } from '../../../../graph/index.ts'
import type { Scene } from './scene.ts'

const PERIODIC: ReadonlySet<string> = new Set(['SIN', 'COS', 'Sin', 'Cos'])

/** Radians: half a step of this is an error of a hundredth at the steepest. */
const WIDEST_STEP = 0.02

/** Angles over many turns, from where they grow: a step of their codes would be a good part of a turn. */
export function anglesOf(scene: Scene): Set<OperatorId> {
  const found = new Set<OperatorId>()
  const follow = (maker: GraphOperator, made: TensorId) =>
    maker.inputs.every(({ role }) => role !== 'weight') && isCoarse(made, scene)
  for (const { nativeKind, inputs } of scene.operators) {
    const angle = PERIODIC.has(nativeKind) ? (inputs[0]?.tensor ?? null) : null
    if (angle !== null) scene.collectBefore(angle, follow, found)
  }
  return found
}

function isCoarse(tensor: TensorId, scene: Scene): boolean {
  return (scene.stepOf(tensor) ?? 0) > WIDEST_STEP
}
