import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from './model.ts'

/** The main graph, then every graph nested in attributes of its nodes, outermost first. */
export function* graphsOf(model: OnnxModel): Generator<OnnxGraph> {
  if (model.graph) yield* graphsWithin(model.graph)
  for (const { node } of model.functions) yield* within(node)
}

/** Every tensor the file holds: initializers, sparse ones, attributes, in all graphs and functions. */
export function* tensorsOf(model: OnnxModel): Generator<OnnxTensor> {
  for (const graph of graphsOf(model)) {
    yield* graph.initializer
    for (const { values, indices } of graph.sparseInitializer) {
      if (values) yield values
      if (indices) yield indices
    }
    yield* attributeTensors(graph.node)
  }
  for (const { node } of model.functions) yield* attributeTensors(node)
}

/** The graph itself first. */
export function* graphsWithin(graph: OnnxGraph): Generator<OnnxGraph> {
  yield graph
  yield* within(graph.node)
}

function* within(nodes: readonly OnnxNode[]): Generator<OnnxGraph> {
  for (const node of nodes) for (const graph of nestedIn(node)) yield* graphsWithin(graph)
}

function* attributeTensors(nodes: readonly OnnxNode[]): Generator<OnnxTensor> {
  for (const { t, tensors } of attributesOf(nodes)) {
    if (t) yield t
    yield* tensors
  }
}

function* attributesOf(nodes: readonly OnnxNode[]): Generator<OnnxAttribute> {
  for (const node of nodes) yield* node.attribute
}

/** Graphs that stand in attributes of the node itself. */
function nestedIn({ attribute }: OnnxNode): OnnxGraph[] {
  return attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs))
}

/** What graphs inside the node read, whoever made it, and give out. */
export function readInside(node: OnnxNode): string[] {
  return nestedIn(node).flatMap((graph) => [...namesRead(graph)])
}

/** What the node reads, and what graphs inside it do; inputs that it leaves out have no name. */
export function readsOf(node: OnnxNode): string[] {
  return [...node.input, ...readInside(node)].filter(Boolean)
}

/** Every name that nodes of the graph, and of graphs nested in it, read, and every output. */
export function namesRead(graph: OnnxGraph): Set<string> {
  const names = new Set<string>()
  for (const one of graphsWithin(graph)) {
    for (const { name } of one.output) names.add(name)
    for (const node of one.node) for (const name of node.input) names.add(name)
  }
  return names
}
