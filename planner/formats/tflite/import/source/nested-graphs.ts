import {
  copyMessage,
  DATA_TYPES,
  newMessage,
  type OnnxDataType,
  type OnnxGraph,
  type OnnxNode,
  type OnnxValueInfo,
} from '../../../onnx/index.ts'
import type { GraphEditor } from '../../../onnx/source.ts'

/** A branch or a loop's body, about to become part of the graph around it. */
export function bodyOf(node: OnnxNode, attribute: string): OnnxGraph | undefined {
  return node.attribute.find(({ name }) => name === attribute)?.g
}

/** Makes constants of a body constants of the graph around it. @returns what they are called there */
export function withConstants(
  editor: GraphEditor,
  body: OnnxGraph,
  place: string,
): Map<string, string> {
  const names = new Map<string, string>()
  for (const tensor of body.initializer) {
    const name = editor.fresh(`${place}/${tensor.name}`)
    names.set(tensor.name, name)
    editor.graph.initializer.push(copyMessage('TensorProto', tensor, { name }))
  }
  editor.touch()
  return names
}

/**
 * Copies of a body's nodes, their results under names that nobody else has. `names` says what the body's inputs and
 * constants are called outside, and learns its results.
 */
export function copiesOf(
  editor: GraphEditor,
  body: OnnxGraph,
  place: string,
  names: Map<string, string>,
): OnnxNode[] {
  for (const name of body.node.flatMap(({ output }) => output))
    if (name !== '') names.set(name, editor.fresh(`${place}/${name}`))
  return body.node.map((node) =>
    Object.assign(copyOf(node, names), {
      name: node.name === '' ? '' : editor.fresh(`${place}/${node.name}`),
    }),
  )
}

function copyOf(node: OnnxNode, names: ReadonlyMap<string, string>): OnnxNode {
  const other = (name: string) => names.get(name) ?? name
  return copyMessage('NodeProto', node, {
    input: node.input.map(other),
    output: node.output.map(other),
    attribute: node.attribute.map((attribute) =>
      attribute.g === undefined
        ? attribute
        : copyMessage('AttributeProto', attribute, { g: nestedCopy(attribute.g, names) }),
    ),
  })
}

/** A graph inside a body sees the body's values; its own keep their names until it is taken in itself. */
function nestedCopy(graph: OnnxGraph, names: ReadonlyMap<string, string>): OnnxGraph {
  return copyMessage('GraphProto', graph, {
    node: graph.node.map((node) => copyOf(node, names)),
    output: graph.output.map((end) =>
      copyMessage('ValueInfoProto', end, { name: names.get(end.name) ?? end.name }),
    ),
  })
}

/** An input of a graph whose type and sizes are known. */
export function typedValue(
  name: string,
  type: OnnxDataType,
  shape: readonly number[],
): OnnxValueInfo {
  const elemType = DATA_TYPES[type].code
  const dim = shape.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } }))
  const value = { case: 'tensorType', value: { elemType, shape: { dim } } }
  return newMessage('ValueInfoProto', { name, type: { value } })
}
