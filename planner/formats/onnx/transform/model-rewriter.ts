import { invariant } from '../../../../shared/errors.ts'
import type { Form, OperatorId, TensorId, Use } from '../../../graph/index.ts'
import { copyMessage, type OnnxGraph, type OnnxModel, type OnnxNode } from '../model.ts'
import { type Attributes, GraphEditor } from '../prepare/graph-editor.ts'
import type { OnnxView, ViewedNode } from '../view.ts'
import type { IntegerForm } from './integer-form.ts'

/** A conversion that the plan asks for. */
export interface Conversion {
  readonly to: Form
  readonly uses: readonly Use[]
}

export interface Expandable {
  readonly codes: string
  readonly form: Form
}

/** A copy of the model under work, addressed by the ids of the view. */
export class ModelRewriter {
  readonly model: OnnxModel
  readonly editor: GraphEditor
  readonly view: OnnxView
  /** Forms in which activations are made; float32 where none is set. */
  readonly made = new Map<TensorId, Form>()
  readonly conversions = new Map<TensorId, Conversion[]>()
  /** Constants stored smaller, which whoever reads them wants expanded. */
  readonly expandable = new Map<TensorId, Expandable>()
  /** Dequantized constants: what is behind them. */
  readonly stored = new Map<string, { readonly codes: string; readonly form: IntegerForm }>()
  readonly integer = new Set<OperatorId>()
  readonly #nodes: readonly ViewedNode[]
  readonly #after = new Map<OnnxNode, OnnxNode[]>()
  readonly #first: OnnxNode[] = []
  readonly #quantizedAtRun = new Map<string, readonly [string, string, string]>()

  constructor(source: OnnxModel, view: OnnxView) {
    const { graph, copies } = copyOf(source.graph as OnnxGraph)
    this.model = { ...source, graph, opsetImport: [...source.opsetImport] }
    this.editor = new GraphEditor(graph)
    this.view = view
    const mine = (node: OnnxNode) => copies.get(node) as OnnxNode
    this.#nodes = view.nodes.map(({ node, activation }) => ({
      node: mine(node),
      activation: activation && { ...activation, node: mine(activation.node) },
    }))
  }

  nameOf(tensor: TensorId): string {
    const name = this.view.names[tensor]
    invariant(name !== undefined, `tensor ${tensor} is one of the view's`)
    return name
  }

  /** A name for the constant expanded: its own where nested graphs, which stay as they are, know it by that. */
  realNameOf(tensor: TensorId): string {
    const name = this.nameOf(tensor)
    if (!this.view.graph.tensors[tensor]?.unseenReaders) return this.fresh(`${name}/real`)
    const { graph } = this.editor
    graph.initializer = graph.initializer.filter((one) => one.name !== name)
    this.editor.touch()
    return name
  }

  at(operator: OperatorId): ViewedNode {
    const viewed = this.#nodes[operator]
    invariant(viewed !== undefined, `operator ${operator} is one of the view's`)
    return viewed
  }

  /** Forgets the activation behind an operator: its output is the operator's own. */
  dropActivation(operator: OperatorId): void {
    const { node, activation } = this.at(operator)
    if (activation === null) return
    node.output = [...activation.node.output]
    this.editor.replace(activation.node)
  }

  /** The input becomes `value`, whatever it was. */
  feed(operator: OperatorId, position: number, value: string): void {
    const { node } = this.at(operator)
    while (node.input.length < position) node.input.push('')
    node.input[position] = value
    this.editor.touch()
  }

  /** A node to come right behind `maker`, or first of all where nobody makes its input. */
  add(
    maker: OnnxNode | undefined,
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: Attributes = {},
    domain = '',
  ): OnnxNode {
    const node = this.editor.newNode(opType, inputs, [output], attributes, domain)
    if (maker === undefined) this.#first.push(node)
    else this.#after.set(maker, [...(this.#after.get(maker) ?? []), node])
    return node
  }

  /** Codes, scale and zero point of a value that is quantized when the model runs; once for all its readers. */
  quantizedAtRun(value: string, reader: OnnxNode): readonly [string, string, string] {
    const known = this.#quantizedAtRun.get(value)
    if (known !== undefined) return known
    const names = (['codes', 'scale', 'zero'] as const).map((word) =>
      this.fresh(`${value}/${word}`),
    ) as unknown as readonly [string, string, string]
    this.#quantizedAtRun.set(value, names)
    this.editor.insertBefore(reader, this.editor.newNode('DynamicQuantizeLinear', [value], names))
    return names
  }

  fresh(base: string): string {
    return this.editor.fresh(base)
  }

  /** Puts the added nodes in their places. */
  finish(): OnnxModel {
    const { graph } = this.editor
    const placed = graph.node.flatMap((node) => [node, ...(this.#after.get(node) ?? [])])
    graph.node = [...this.#first, ...placed]
    return this.model
  }
}

function copyOf(source: OnnxGraph) {
  const copies = new Map(
    source.node.map((node) => [
      node,
      copyMessage('NodeProto', node, {
        input: [...node.input],
        output: [...node.output],
        attribute: [...node.attribute],
      }),
    ]),
  )
  const graph: OnnxGraph = {
    ...source,
    node: [...copies.values()],
    initializer: [...source.initializer],
    input: [...source.input],
    output: [...source.output],
    valueInfo: [],
  }
  return { graph, copies }
}
