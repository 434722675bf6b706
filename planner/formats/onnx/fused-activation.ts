import { floatOf } from './attributes.ts'
import type { OnnxNode } from './model.ts'
import { floats } from './prepare/affine.ts'
import type { GraphEditor } from './prepare/graph-editor.ts'

/** A Relu or Clip right behind an operator: quantizing the result to its range makes it redundant. */
export interface FollowingActivation {
  readonly node: OnnxNode
  readonly low: number
  readonly high: number
}

/** Operators whose integer kernels saturate in the place of the activation behind them. */
const ABSORBING = new Set([
  'Conv',
  'Gemm',
  'MatMul',
  'Add',
  'Mul',
  'AveragePool',
  'GlobalAveragePool',
  'Concat',
])

export function activationBehind(node: OnnxNode, editor: GraphEditor): FollowingActivation | null {
  const next = ABSORBING.has(node.opType) ? editor.onlyConsumer(node.output[0] ?? '') : undefined
  if (next === undefined || next.input[0] !== node.output[0]) return null
  if (next.opType === 'Relu') return { node: next, low: 0, high: Number.POSITIVE_INFINITY }
  const bounds = next.opType === 'Clip' ? boundsOf(next, editor) : null
  return bounds && { node: next, ...bounds }
}

/** Of a Clip; null where one of them is computed. */
export function boundsOf(
  clip: OnnxNode,
  editor: GraphEditor,
): Pick<FollowingActivation, 'low' | 'high'> | null {
  const [low, high] = [1, 2].map((at) => bound(clip.input[at], editor))
  if (low === undefined || high === undefined) return null
  return {
    low: floatOf(clip, 'min', low ?? Number.NEGATIVE_INFINITY),
    high: floatOf(clip, 'max', high ?? Number.POSITIVE_INFINITY),
  }
}

/** Null where there is none, undefined where it is computed. */
function bound(name: string | undefined, editor: GraphEditor): number | null | undefined {
  if (name === undefined || name === '') return null
  return floats(name, editor)?.[0]
}
