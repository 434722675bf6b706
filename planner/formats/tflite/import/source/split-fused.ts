import type { OnnxGraph, OnnxNode } from '../../../onnx/index.ts'
import {
  type Attributes,
  CONTRIB,
  floatOf,
  floatsOf,
  GraphEditor,
  stringOf,
} from '../../../onnx/source.ts'

/** Operators into which ONNX Runtime's optimiser put an activation or a bias become two again. Changes `graph`. */
export function splitFused(graph: OnnxGraph): void {
  const editor = new GraphEditor(graph)
  for (const node of [...graph.node]) {
    const nodes = node.domain === CONTRIB ? (FUSED[node.opType]?.(node, editor) ?? null) : null
    if (nodes !== null) editor.replace(node, ...nodes)
  }
}

type Split = (node: OnnxNode, editor: GraphEditor) => OnnxNode[] | null

const FUSED: Readonly<Record<string, Split>> = {
  FusedConv: (node, editor) => withActivation(node, editor, 'Conv', 3),
  FusedGemm: (node, editor) => withActivation(node, editor, 'Gemm', Number.POSITIVE_INFINITY),
  BiasGelu: (node, editor) => biased(node, editor, 'Gelu'),
  FastGelu: (node, editor) => (node.input[1] ? biased(node, editor, 'FastGelu') : null),
}

/** Attributes of an activation by their place among the fused operator's parameters. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  LeakyRelu: ['alpha'],
  HardSigmoid: ['alpha', 'beta'],
  Clip: ['min', 'max'],
}

/** @param summand position of an input that is added before the activation */
function withActivation(
  node: OnnxNode,
  editor: GraphEditor,
  opType: string,
  summand: number,
): OnnxNode[] {
  const [result = ''] = node.output
  const activation = stringOf(node, 'activation', '')
  const given = floatsOf(node, 'activation_params') ?? [
    floatOf(node, 'activation_alpha', 0),
    floatOf(node, 'activation_beta', 0),
  ]
  const added = node.input[summand] ?? ''
  const chain: ((from: string, to: string) => OnnxNode)[] = [
    ...(added === ''
      ? []
      : [(from: string, to: string) => editor.newNode('Add', [from, added], [to])]),
    ...(activation === ''
      ? []
      : [(from: string, to: string) => activated(editor, activation, given, { from, to })]),
  ]
  const names = chain.map((_, i) => editor.fresh(`${result}/${i}`))
  const first = editor.newNode(opType, node.input.slice(0, summand), [names[0] ?? result])
  first.attribute = node.attribute.filter(({ name }) => !name.startsWith('activation'))
  return [first, ...chain.map((make, i) => make(names[i] as string, names[i + 1] ?? result))]
}

function activated(
  editor: GraphEditor,
  opType: string,
  given: readonly number[],
  { from, to }: { from: string; to: string },
): OnnxNode {
  const names = PARAMETERS[opType] ?? []
  if (opType !== 'Clip') {
    const attributes = names.map((name, i) => [name, ['float', given[i] ?? 0] as const] as const)
    return editor.newNode(opType, [from], [to], Object.fromEntries(attributes) as Attributes)
  }
  // Since opset 11 bounds are inputs.
  const bounds = names.map((name, i) =>
    editor.addConstant(`${to}/${name}`, 'float32', [], Float32Array.of(given[i] ?? 0)),
  )
  return editor.newNode('Clip', [from, ...bounds], [to])
}

function biased(node: OnnxNode, editor: GraphEditor, opType: string): OnnxNode[] {
  const [x = '', bias = ''] = node.input
  const sum = editor.fresh(`${node.output[0]}/sum`)
  return [
    editor.newNode('Add', [x, bias], [sum]),
    editor.newNode(opType, [sum], node.output, {}, CONTRIB),
  ]
}
