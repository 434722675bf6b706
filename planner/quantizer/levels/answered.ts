import type { TensorInfo } from '../../../shared/runtime/index.ts'
import { sizeOf } from '../../../shared/tensors.ts'
import type { Links, QuantizableModel } from '../../graph/index.ts'
import type { Answer } from '../inference-pool/messages.ts'
import type { Answered } from './judge.ts'
import { channelsOf } from './slices.ts'

/** One output of a model as it is judged: with its channels, and what merged them. */
export function answeredOutput(
  info: TensorInfo,
  at: number,
  model: QuantizableModel,
  links: Links,
  expected: readonly Answer[],
  found: readonly Answer[],
): Answered {
  const mine = expected.map((answer) => answer[at] ?? new Float32Array(0))
  const shape = closedShape(info.shape, mine[0]?.length ?? 0)
  const tensor = model.graph.subgraphs[model.entries[0]?.subgraph ?? 0]?.outputs[at]
  const known = shape !== null && tensor !== undefined
  return {
    name: info.name,
    shape,
    channels: known ? channelsOf(tensor, shape, model.graph, links) : [],
    expected: mine,
    found: found.map((answer) => answer[at] ?? new Float32Array(0)),
  }
}

/** A single open dimension is what is left. */
function closedShape(shape: readonly number[], numbers: number): readonly number[] | null {
  const known = sizeOf(shape.filter((dim) => dim >= 0))
  const open = shape.filter((dim) => dim < 0).length
  if (open === 0) return known === numbers ? shape : null
  const rest = numbers / known
  return open === 1 && Number.isInteger(rest) ? shape.map((dim) => (dim < 0 ? rest : dim)) : null
}
