import type { TensorId } from '../graph.ts'
import { linksOf } from '../links.ts'
import type { Instrumented } from '../quantizable.ts'
import { writeOnnx } from './codec.ts'
import { newMessage, type OnnxGraph, type OnnxModel } from './model.ts'
import type { OnnxView } from './view.ts'

/** A copy of `model` that gives out all computed float tensors of the view, or those of `asked`. */
export function instrument(
  model: OnnxModel,
  view: OnnxView,
  asked?: readonly TensorId[],
): Instrumented {
  const { producers } = linksOf(view.graph)
  const wanted = new Set(asked ?? view.graph.tensors.map(({ id }) => id))
  const observed = view.graph.tensors.filter(
    ({ id, type }) => type === 'float32' && producers[id] !== null && wanted.has(id),
  )
  const output = observed.map(({ name }) => newMessage('ValueInfoProto', { name }))
  const graph = { ...(model.graph as OnnxGraph), output }
  return { bytes: writeOnnx({ ...model, graph }), outputs: observed.map(({ id }) => id) }
}
