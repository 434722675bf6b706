import type {
  Graph,
  GraphOperator,
  Instrumented,
  SeenShapes,
  Summarised,
  TensorId,
} from '../../graph/index.ts'
import {
  holdsFinite,
  type Links,
  linksOf,
  type ObserverPlan,
  sampleStride,
} from '../../graph/index.ts'
import { writeOnnx } from './codec.ts'
import { withoutConstants } from './external-data.ts'
import { newMessage, type OnnxGraph, type OnnxModel } from './model.ts'
import { Summaries } from './summaries.ts'
import type { OnnxView } from './view.ts'

/** A copy of `model` that gives out all computed float tensors of the view, or those of `asked`. */
export function instrument(
  model: OnnxModel,
  view: OnnxView,
  asked?: readonly TensorId[],
): Instrumented {
  const wanted = new Set(asked ?? view.graph.tensors.map(({ id }) => id))
  const observed = observable(view, linksOf(view.graph)).filter(({ id }) => wanted.has(id))
  const names = observed.map(({ name }) => name)
  return {
    bytes: withOutputs(model, model.graph as OnnxGraph, names),
    outputs: observed.map(({ id }) => id),
  }
}

/**
 * A copy of `model` that gives out what an observer wants to know of large activations, and small ones whole: most of
 * the time of a calibration would go into copying large ones out of the runtime.
 */
export function summarise(
  model: OnnxModel,
  view: OnnxView,
  planFor: (tensor: TensorId) => ObserverPlan,
  seen: SeenShapes,
): Summarised {
  const source = model.graph as OnnxGraph
  const graph = { ...source, node: [...source.node], initializer: [...source.initializer] }
  const summaries = new Summaries(graph)
  const names: string[] = []
  const links = linksOf(view.graph)
  const observed = observable(view, links).map(({ id, name, shape: known }): ObserverPlan => {
    const shape = known === null || isOpen(known) ? (seen.get(id) ?? known) : known
    const plan = planFor(id)
    const maker = view.graph.operators[links.producers[id] ?? -1]
    const summary =
      shape === null || isOpen(shape)
        ? null
        : summaries.of(
            {
              name,
              shape,
              settled: known !== null && !isOpen(known.slice(1)),
              maker,
              soundConstants: () => holdsNumbers(maker, view.graph),
              stride: sampleStride(plan, shape),
            },
            plan,
          )
    names.push(...(summary?.outputs ?? [name]))
    return summary === null ? plan : { ...plan, summary: summary.parts }
  })
  const { graph: bare, data } = withoutConstants(graph, CONSTANTS_FILE)
  return {
    bytes: withOutputs(model, bare, names),
    observed,
    data: { ...data, name: CONSTANTS_FILE },
  }
}

const CONSTANTS_FILE = 'constants'

function isOpen(shape: readonly number[]): boolean {
  return shape.some((dim) => dim < 0)
}

/** Whether all constants that an operator reads are numbers. */
function holdsNumbers(operator: GraphOperator | undefined, { tensors }: Graph): boolean {
  const constants = operator?.inputs.map(({ tensor }) => tensors[tensor ?? -1]?.constant) ?? []
  return constants.every((constant) => {
    const values = constant?.read() ?? null
    return !constant || values === null || holdsFinite(constant, values)
  })
}

function observable(view: OnnxView, { producers }: Links) {
  return view.graph.tensors.filter(({ id, type }) => type === 'float32' && producers[id] !== null)
}

function withOutputs(model: OnnxModel, graph: OnnxGraph, names: readonly string[]): Uint8Array {
  const output = names.map((name) => newMessage('ValueInfoProto', { name }))
  return writeOnnx({ ...model, graph: { ...graph, output } })
}
