import { linksOf } from '../links.ts'
import type { Instrumented } from '../quantizable.ts'
import { writeOnnx } from './codec.ts'
import { newMessage, type OnnxGraph, type OnnxModel } from './model.ts'
import type { OnnxView } from './view.ts'

/** A copy of `model` that gives out all computed float tensors of the view. */
export function instrument(model: OnnxModel, view: OnnxView): Instrumented {
  const { producers } = linksOf(view.graph)
  const observed = view.graph.tensors.filter(
    ({ id, type }) => type === 'float32' && producers[id] !== null,
  )
  const output = observed.map(({ name }) => newMessage('ValueInfoProto', { name }))
  const graph = { ...(model.graph as OnnxGraph), output }
  return { bytes: writeOnnx({ ...model, graph }), outputs: observed.map(({ id }) => id) }
}
