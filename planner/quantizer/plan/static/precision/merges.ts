import type { GraphOperator, OperatorId, TensorId } from '../../../../graph/index.ts'
import { usesOf } from '../../../../graph/index.ts'
import { rangeOf } from '../../../parameters/activation.ts'
import { isProduct, type Scene } from './scene.ts'

/** An operand within fewer steps of the result has 18 dB left at most, and none within half a step. */
const FEW_STEPS = 8

const MERGES: ReadonlySet<string> = new Set([
  'concatenation',
  'pack',
  'select',
  'dynamic-update-slice',
])

/**
 * Operators that bring together numbers of different size, where the small ones would not outlive the codes of the
 * large ones; and what reads their result, until it is multiplied with weights or has a range of its own.
 */
export function mergesOf(scene: Scene): Set<OperatorId> {
  const merges = new Set<OperatorId>()
  for (const operator of scene.operators) {
    if (!MERGES.has(operator.kind) || !isLopsided(operator, scene)) continue
    const [result] = operator.outputs
    if (result === undefined || !keepsApart(result, scene)) continue
    merges.add(operator.id)
    spread(operator, scene, merges)
  }
  return merges
}

function isLopsided({ inputs, outputs }: GraphOperator, scene: Scene): boolean {
  const step = scene.stepOf(outputs[0] ?? -1)
  if (step === null) return false
  return inputs.some(({ tensor, role }) => {
    if (tensor === null || role !== 'activation') return false
    const constant = scene.request.graph.tensors[tensor]?.constant ?? null
    const range = constant
      ? rangeOf(constant.read() ?? new Float32Array(0))
      : (scene.request.ranges.get(tensor) ?? null)
    if (range === null || range.max === range.min) return false
    return range.max - range.min < FEW_STEPS * step
  })
}

/** Whether anyone could tell the small numbers in the result from each other. */
function keepsApart(tensor: TensorId, scene: Scene): boolean {
  const { links, forms, graph } = scene.request
  return usesOf(links, tensor).some((use) => {
    if (use.kind === 'output') return forms.edges === 'float32'
    const reader = graph.operators[use.operator]
    if (reader === undefined || isProduct(reader)) return false
    return reader.outputs.some(
      (output) => isFiner(output, tensor, scene) || keepsApart(output, scene),
    )
  })
}

function spread(operator: GraphOperator, scene: Scene, into: Set<OperatorId>): void {
  for (const reader of scene.readersOf(operator)) {
    if (isProduct(reader) || into.has(reader.id)) continue
    into.add(reader.id)
    const [source, result] = [operator.outputs[0] ?? -1, reader.outputs[0] ?? -1]
    if (!isFiner(result, source, scene)) spread(reader, scene, into)
  }
}

/** A range of its own, by as much as tells lopsided operands. */
function isFiner(result: TensorId, source: TensorId, scene: Scene): boolean {
  const [fine, coarse] = [scene.stepOf(result), scene.stepOf(source)]
  return fine !== null && coarse !== null && FEW_STEPS * fine < coarse
}
