import { setImmediate } from 'node:timers/promises'
import type { CodeForms, Graph } from '../../../graph/index.ts'
import { encodeConstant, holdsFinite } from '../../../graph/index.ts'
import { channelAxis, knownParameters } from './weighted.ts'

/**
 * Finds out what plans will ask of weights, whatever the ranges of activations turn out to be: while the runtime is
 * busy, one weight at a turn.
 */
export async function studyWeights(
  graph: Graph,
  forms: CodeForms,
  signal: AbortSignal,
): Promise<void> {
  for (const operator of graph.operators) {
    const input = operator.inputs.find(({ role }) => role === 'weight')
    const tensor = graph.tensors[input?.tensor ?? -1]
    const values = tensor?.type === 'float32' ? tensor.constant?.read() : null
    if (input === undefined || !tensor?.constant || !values) continue
    await setImmediate()
    if (signal.aborted) return
    if (!holdsFinite(tensor.constant, values)) continue
    const axis = channelAxis(operator, input, forms)
    const parameters = knownParameters(operator, tensor, values, axis, { graph, forms })
    encodeConstant(tensor.constant, values, tensor.shape ?? [], { type: 'int8', parameters })
  }
}
