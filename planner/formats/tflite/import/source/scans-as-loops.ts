import { newAttribute, newMessage, type OnnxGraph, type OnnxNode } from '../../../onnx/index.ts'
import { GraphEditor, intOf, intsOf, type ValueTypes } from '../../../onnx/source.ts'
import { bodyOf, typedValue } from './nested-graphs.ts'

/**
 * A Scan that is too long to be written out, as the Loop that it is: its elements gathered by the number of the turn, its
 * results turned to where and how they are wanted. Changes `graph`.
 * @returns how many became loops
 */
export function scansAsLoops(graph: OnnxGraph, types: ValueTypes): number {
  const editor = new GraphEditor(graph, types)
  return graph.node
    .filter(({ opType, domain }) => opType === 'Scan' && domain === '')
    .filter((node) => {
      const nodes = asLoop(node, editor)
      if (nodes !== null) editor.replace(node, ...nodes)
      return nodes !== null
    }).length
}

function asLoop(node: OnnxNode, editor: GraphEditor): OnnxNode[] | null {
  const body = bodyOf(node, 'body')
  const states = statesOf(node)
  const axes = intsOf(node, 'scan_input_axes') ?? []
  const [turns = -1] = node.input
    .slice(states)
    .map((name, i) => editor.typeOf(name).shape?.at(axes[i] ?? 0) ?? -1)
  if (body === undefined || turns < 1) return null
  const results = node.output.slice(states).map((name, i) => resultOf(node, name, i, editor))
  if (results.includes(null)) return null
  const limit = editor.addConstant('turns', 'int64', [], BigInt64Array.of(BigInt(turns)))
  const told = results.flatMap((one) => one ?? [])
  const loop = editor.newNode(
    'Loop',
    [limit, '', ...node.input.slice(0, states)],
    [...node.output.slice(0, states), ...told.map(({ stack }) => stack)],
  )
  loop.name = node.name || loop.name
  loop.attribute = [newAttribute('body', 'graph', loopBody(node, body, turns, editor))]
  return [loop, ...told.flatMap(({ nodes }) => nodes)]
}

interface Result {
  /** What the loop gives: stacked in front, in the order of its turns. */
  readonly stack: string
  readonly nodes: readonly OnnxNode[]
}

/** Null where the axis that it is wanted along cannot be found. */
function resultOf(node: OnnxNode, name: string, at: number, editor: GraphEditor): Result | null {
  const axis = intsOf(node, 'scan_output_axes')?.[at] ?? 0
  const isBackwards = intsOf(node, 'scan_output_directions')?.[at] === 1
  if (name === '' || (axis === 0 && !isBackwards)) return { stack: name, nodes: [] }
  const rank = editor.typeOf(name).shape?.length
  if (rank === undefined) return null
  const [stack, forwards] = [editor.fresh(`${name}/stack`), editor.fresh(`${name}/forwards`)]
  const order = Array.from({ length: rank - 1 }, (_, i) => i + 1)
  order.splice(axis < 0 ? axis + rank : axis, 0, 0)
  const turned = editor.newNode('Transpose', [isBackwards ? forwards : stack], [name], {
    perm: ['ints', order],
  })
  const [from, to, along, step] = [[-1], [Number.MIN_SAFE_INTEGER], [0], [-1]].map((values) =>
    editor.addInt64s(`${name}/back`, values),
  ) as [string, string, string, string]
  const reversed = editor.newNode('Slice', [stack, from, to, along, step], [forwards])
  return { stack, nodes: isBackwards ? [reversed, turned] : [turned] }
}

function loopBody(node: OnnxNode, body: OnnxGraph, turns: number, editor: GraphEditor): OnnxGraph {
  const states = statesOf(node)
  const axes = intsOf(node, 'scan_input_axes') ?? []
  const backwards = intsOf(node, 'scan_input_directions') ?? []
  const place = node.name || node.output.find(Boolean)
  const fresh = (word: string) => editor.fresh(`${place}/${word}`)
  const [turn, going, goes, back] = [fresh('turn'), fresh('going'), fresh('goes'), fresh('back')]
  const last = editor.addConstant('last', 'int64', [], BigInt64Array.of(BigInt(turns - 1)))
  const elements = node.input.slice(states).map((from, i) => {
    const inputs = [from, backwards[i] === 1 ? back : turn]
    const axis = ['int', axes[i] ?? 0] as const
    return editor.newNode('Gather', inputs, [body.input[states + i]?.name ?? ''], { axis })
  })
  return newMessage('GraphProto', {
    name: body.name,
    input: [
      typedValue(turn, 'int64', []),
      typedValue(going, 'bool', []),
      ...body.input.slice(0, states),
    ],
    initializer: body.initializer,
    node: [
      editor.newNode('Identity', [going], [goes]),
      editor.newNode('Sub', [last, turn], [back]),
      ...elements,
      ...body.node,
    ],
    output: [newMessage('ValueInfoProto', { name: goes }), ...body.output],
  })
}

function statesOf(node: OnnxNode): number {
  return node.input.length - intOf(node, 'num_scan_inputs', 0)
}
