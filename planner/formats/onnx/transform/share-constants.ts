import type { OnnxGraph } from '../model.ts'
import { GraphEditor } from '../prepare/graph-editor.ts'
import { twinsOf } from '../twins.ts'

/**
 * Stores each constant once: equal ones under one name, and a matrix that is another one turned as Transpose of it,
 * which runtimes compute when they load the model. Tables that are looked up in and multiplied by are both. Changes `graph`.
 */
export function shareConstants(graph: OnnxGraph): void {
  const given = new Set(graph.output.map(({ name }) => name))
  const twins = [...twinsOf(graph.initializer)].filter(([{ name }]) => !given.has(name))
  if (twins.length === 0) return
  const gone = new Set(twins.map(([tensor]) => tensor))
  const editor = new GraphEditor(graph)
  const making = twins.flatMap(([{ name }, twin]) => {
    if (twin.turned)
      return [editor.newNode('Transpose', [twin.name], [name], { perm: ['ints', [1, 0]] })]
    // Nested graphs, which stay as they are, know it by its name.
    if (editor.isSeenOutside(name)) return [editor.newNode('Identity', [twin.name], [name])]
    editor.redirect(name, twin.name)
    return []
  })
  graph.initializer = graph.initializer.filter((tensor) => !gone.has(tensor))
  graph.node = [...making, ...graph.node]
}
