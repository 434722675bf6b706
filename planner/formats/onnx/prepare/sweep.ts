import type { OnnxGraph } from '../model.ts'
import { namesRead } from '../walk.ts'

/** Removes nodes and constants whose results nobody reads. */
export function sweep(graph: OnnxGraph): void {
  for (let before = -1; before !== graph.node.length; ) {
    before = graph.node.length
    const read = namesRead(graph)
    graph.node = graph.node.filter(({ output }) => output.some((name) => read.has(name)))
  }
  const read = namesRead(graph)
  graph.initializer = graph.initializer.filter(({ name }) => read.has(name))
}
