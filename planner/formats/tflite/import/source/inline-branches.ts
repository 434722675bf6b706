import { dataOf, type OnnxGraph, type OnnxNode } from '../../../onnx/index.ts'
import { GraphEditor } from '../../../onnx/source.ts'
import { bodyOf, copiesOf, withConstants } from './nested-graphs.ts'

/** Which of an If's branches are taken in: those that a constant condition chooses, both, or one whatever the condition. */
export type Branches = 'decided' | 'both' | 'then' | 'else'

/**
 * Takes branches of If nodes into the graph around them: the one that a constant condition chooses, or, where asked to,
 * both with a choice between their results, as branches have no effect but these. Changes `graph`.
 * @returns how many were taken in
 */
export function inlineBranches(graph: OnnxGraph, which: Branches): number {
  const taken = graph.node.filter(
    (node) => node.opType === 'If' && node.domain === '' && takeIn(graph, node, which),
  )
  return taken.length
}

function takeIn(graph: OnnxGraph, node: OnnxNode, which: Branches): boolean {
  const [yes, no] = ['then_branch', 'else_branch'].map((name) => bodyOf(node, name))
  const decided = conditionOf(graph, node) ?? FORCED[which]
  if (yes === undefined || no === undefined || (decided === null && which === 'decided')) {
    return false
  }
  const editor = new GraphEditor(graph)
  if (decided === null) chooseBetween(editor, node, yes, no)
  else editor.replace(node, ...takenIn(editor, decided ? yes : no, node, node.output))
  return true
}

const FORCED: Readonly<Record<Branches, boolean | null>> = {
  decided: null,
  both: null,
  // biome-ignore lint/suspicious/noThenProperty: the word of the specification, and no promise
  then: true,
  else: false,
}

function conditionOf(graph: OnnxGraph, node: OnnxNode): boolean | null {
  const constant = graph.initializer.find(({ name }) => name === node.input[0])
  return constant === undefined ? null : dataOf(constant)[0] !== 0
}

function chooseBetween(editor: GraphEditor, node: OnnxNode, yes: OnnxGraph, no: OnnxGraph): void {
  const side = (branch: OnnxGraph, word: string): Side => {
    const names = node.output.map((name) => editor.fresh(`${name}/${word}`))
    return { names, nodes: takenIn(editor, branch, node, names) }
  }
  const sides = [side(yes, 'then'), side(no, 'else')] as const
  const choices = node.output.map((name, i) =>
    editor.newNode(
      'Where',
      [node.input[0] as string, sides[0].names[i] as string, sides[1].names[i] as string],
      [name],
    ),
  )
  editor.replace(node, ...sides.flatMap(({ nodes }) => nodes), ...choices)
}

interface Side {
  readonly names: readonly string[]
  readonly nodes: readonly OnnxNode[]
}

/** The branch's nodes under names that nobody else has, its results under those given. */
function takenIn(
  editor: GraphEditor,
  branch: OnnxGraph,
  node: OnnxNode,
  results: readonly string[],
): OnnxNode[] {
  const place = node.name || (node.output[0] ?? '')
  const names = withConstants(editor, branch, place)
  const nodes = copiesOf(editor, branch, place, names)
  const ends = branch.output.map(({ name }, i) =>
    editor.newNode('Identity', [names.get(name) ?? name], [results[i] ?? '']),
  )
  return [...nodes, ...ends]
}
