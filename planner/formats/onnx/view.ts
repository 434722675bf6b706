import { fromHalf } from '../../../shared/half.ts'
import type {
  FusedActivation,
  Graph,
  GraphConstant,
  GraphInput,
  GraphOperator,
  GraphReader,
  GraphTensor,
  TensorId,
} from '../../graph/index.ts'
import { activationBehind, boundsOf, type FollowingActivation } from './fused-activation.ts'
import {
  dataTypeName,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from './model.ts'
import { attributeObstacle, nativeInput, nativeOperator } from './native-operators.ts'
import { GraphEditor } from './prepare/graph-editor.ts'
import type { ValueTypes } from './shapes/infer.ts'
import { dataOf, dimsOf, elementTypeOf } from './tensor-data.ts'
import { twinsOf } from './twins.ts'
import { graphsWithin } from './walk.ts'
import { windowOf } from './windows.ts'

/** The quantizer's view of an .onnx model, and where its parts are in the file. */
export interface OnnxView {
  readonly graph: Graph
  /** By `OperatorId`. */
  readonly nodes: readonly ViewedNode[]
  /** By `TensorId`. */
  readonly names: readonly string[]
}

/** An operator, with the activation behind it that its integer kernel absorbs. */
export interface ViewedNode {
  readonly node: OnnxNode
  readonly activation: FollowingActivation | null
}

/** Nested graphs (loops, branches) are not shown: they stay as they are. */
export function viewOf(model: OnnxModel, types: ValueTypes): OnnxView {
  const graph = model.graph
  if (graph === undefined) throw new TypeError('a model has a graph')
  const editor = new GraphEditor(graph, types)
  const nodes = viewedNodes(graph.node, editor)
  const hidden = new Set(nodes.flatMap(({ node, activation }) => (activation ? node.output : [])))
  const names = [
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ].filter((name) => name !== '' && !hidden.has(name))
  const ids = new Map(names.map((name, id) => [name, id]))
  const unseen = unseenReaders(graph, editor)
  const storages = storagesOf(graph.initializer, ids)
  return {
    nodes,
    names,
    graph: {
      tensors: names.map((name, id) => viewTensor(name, id, editor, types, { unseen, storages })),
      operators: nodes.map((viewed, id) => viewOperator(viewed, id, ids, editor)),
      subgraphs: [
        {
          id: 0,
          name: graph.name || 'main',
          inputs: graph.input.flatMap(({ name }) => ids.get(name) ?? []),
          outputs: graph.output.flatMap(({ name }) => ids.get(name) ?? []),
          entry: true,
        },
      ],
    },
  }
}

function viewedNodes(all: readonly OnnxNode[], editor: GraphEditor): ViewedNode[] {
  const absorbed = new Set<OnnxNode>()
  return all.flatMap((node) => {
    if (absorbed.has(node)) return []
    const activation = activationBehind(node, editor)
    if (activation !== null) absorbed.add(activation.node)
    return { node, activation }
  })
}

interface ConstantFacts {
  readonly unseen: ReadonlyMap<string, readonly GraphReader[]>
  /** By name, of constants whose bytes are those of another, perhaps turned: the file holds them once. */
  readonly storages: ReadonlyMap<string, TensorId>
}

function viewTensor(
  name: string,
  id: TensorId,
  editor: GraphEditor,
  types: ValueTypes,
  { unseen, storages }: ConstantFacts,
): GraphTensor {
  const initializer = editor.constant(name)
  const known = types.get(name)
  const unseenReaders = unseen.get(name)
  return {
    id,
    subgraph: 0,
    name,
    type: (initializer ? dataTypeName(initializer.dataType) : known?.type) ?? 'unknown',
    shape: initializer ? dimsOf(initializer) : (known?.shape ?? null),
    constant: initializer ? viewConstant(initializer, storages.get(name) ?? id) : null,
    quantization: null,
    range: null,
    variable: false,
    ...(unseenReaders && { unseenReaders }),
  }
}

function storagesOf(constants: readonly OnnxTensor[], ids: ReadonlyMap<string, TensorId>) {
  return new Map(
    [...twinsOf(constants)].flatMap(([twin, source]): [string, TensorId][] => {
      const id = ids.get(source.name)
      return id === undefined ? [] : [[twin.name, id]]
    }),
  )
}

/** Of constants of the main graph, in graphs nested in it. */
function unseenReaders(graph: OnnxGraph, editor: GraphEditor): Map<string, GraphReader[]> {
  const found = new Map<string, GraphReader[]>()
  const add = (name: string, reader: GraphReader) => {
    if (editor.constant(name)) found.set(name, [...(found.get(name) ?? []), reader])
  }
  for (const nested of [...graphsWithin(graph)].slice(1)) {
    for (const node of nested.node) {
      const native = nativeOperator(
        node,
        (at) => editor.constant(node.input[at])?.dims.length === 2,
      )
      node.input.forEach((name, position) => {
        const { role, channelAxis } = nativeInput(native, position)
        add(name, { kind: native.kind, nativeKind: node.opType, role, channelAxis })
      })
    }
    for (const { name } of nested.output)
      add(name, { kind: 'other', nativeKind: 'output', role: 'activation', channelAxis: null })
  }
  return found
}

function viewConstant(tensor: OnnxTensor, storage: number): GraphConstant {
  return { storage, read: () => realNumbers(tensor) }
}

export function realNumbers(tensor: OnnxTensor): Float32Array | null {
  const type = elementTypeOf(tensor)
  if (type === 'float32') return dataOf(tensor) as Float32Array
  if (type === 'float16') return Float32Array.from(dataOf(tensor) as Uint16Array, fromHalf)
  return null
}

function viewOperator(
  { node, activation }: ViewedNode,
  id: number,
  ids: ReadonlyMap<string, TensorId>,
  editor: GraphEditor,
): GraphOperator {
  const isMatrix = (input: number) => editor.constant(node.input[input])?.dims.length === 2
  const native = nativeOperator(node, isMatrix)
  const positions = native.variadic
    ? node.input.length
    : Math.max(node.input.length, native.inputs.length)
  const last = activation?.node ?? node
  const weight = editor.constant(node.input[1])?.dims.map(Number) ?? []
  const depthwise = native.kind === 'conv' && weight[1] === 1 && (weight[0] ?? 1) > 1
  const shapeOf = (name = '') => editor.typeOf(name).shape
  return {
    id,
    subgraph: 0,
    name: last.output[0] ?? node.name,
    kind: depthwise ? 'depthwise-conv' : native.kind,
    nativeKind: node.opType,
    inputs: Array.from({ length: positions }, (_, position): GraphInput => {
      const own = nativeInput(native, position)
      const tensor = ids.get(node.input[position] ?? '') ?? null
      return { tensor, ...own, inputAxis: depthwise ? null : own.inputAxis }
    }),
    outputs: last.output.flatMap((name) => ids.get(name) ?? []),
    fusedActivation: activation ? nameOf(activation) : ownActivation(node, editor),
    window:
      native.kind === 'conv'
        ? windowOf(node, shapeOf(node.input[0]), shapeOf(node.output[0]), weight)
        : native.kind === 'fully-connected'
          ? []
          : null,
    integerObstacle: attributeObstacle(node) ?? endObstacle(node, editor),
  }
}

/** Probabilities at the model's end: rounding them gains nothing, and the product before can give out float32. */
function endObstacle(node: OnnxNode, editor: GraphEditor): string | null {
  const saturates = node.opType === 'Softmax' || node.opType === 'Sigmoid'
  return saturates && endsAt(node.output[0] ?? '', editor)
    ? 'the model ends with it, and in float it is exact'
    : null
}

const MOVERS = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Identity'])

/** Whether only outputs read the value, perhaps in another shape. */
function endsAt(value: string, editor: GraphEditor): boolean {
  return editor
    .consumers(value)
    .every((reader) => MOVERS.has(reader.opType) && endsAt(reader.output[0] ?? '', editor))
}

/** A Clip on its own is of kind relu6 whatever its bounds are: what it does is told like that of a fused one. */
function ownActivation(node: OnnxNode, editor: GraphEditor): FusedActivation {
  if (node.opType !== 'Clip') return 'none'
  const bounds = boundsOf(node, editor)
  return bounds === null ? 'clip' : nameOf(bounds)
}

function nameOf({ low, high }: Pick<FollowingActivation, 'low' | 'high'>): FusedActivation {
  if (low === 0 && high === Number.POSITIVE_INFINITY) return 'relu'
  if (low === 0 && high === 6) return 'relu6'
  return low === -1 && high === 1 ? 'relu-n1-to-1' : 'clip'
}
