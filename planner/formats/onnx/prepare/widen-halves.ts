import { fromHalf } from '../../../../shared/half.ts'
import {
  newAttribute,
  newMessage,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '../model.ts'
import { DATA_TYPES } from '../schema.ts'
import { dataOf, newTensor } from '../tensor-data.ts'
import { graphsOf, graphsWithin, namesRead, tensorsOf } from '../walk.ts'

const HALF = DATA_TYPES.float16.code
const FLOAT = DATA_TYPES.float32.code

/** Attributes in which operators say what type they give out (onnx/docs/Operators.md). */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'to',
  'dtype',
  'output_dtype',
  'output_datatype',
  'stash_type',
  'softmax_precision',
])

/** The constants that a model keeps as float16. */
export function halvesIn(model: OnnxModel): OnnxTensor[] {
  return [...tensorsOf(model)].filter(isHalf)
}

/** Whether the model is fed float16, or turns numbers into it. */
export function usesHalves(model: OnnxModel): boolean {
  if (halvesIn(model).length > 0) return true
  for (const { input, node } of graphsOf(model)) {
    if (input.some(isHalfValue)) return true
    if (node.some(({ attribute }) => attribute.some(namesHalf))) return true
  }
  return false
}

/**
 * The model computes in float32 from here on, on the numbers that it has; what callers give and get stays float16.
 * Kernels for float16 are rare on CPUs, and integers are chosen from float32 ranges. Changes `model`.
 */
export function widenHalves(model: OnnxModel): void {
  const { graph } = model
  if (graph === undefined) return
  for (const one of graphsOf(model)) {
    one.initializer = one.initializer.map(widened)
    widenNodes(one.node)
    if (one !== graph) for (const info of [...one.input, ...one.output]) retype(info)
    one.valueInfo = []
  }
  for (const { node } of model.functions) widenNodes(node)
  keepEdges(graph)
}

function widenNodes(nodes: readonly OnnxNode[]): void {
  for (const node of nodes) {
    node.attribute = node.attribute.map((attribute) => {
      if (namesHalf(attribute)) return newAttribute(attribute.name, 'int', FLOAT)
      if (attribute.t && isHalf(attribute.t))
        return newAttribute(attribute.name, 'tensor', widened(attribute.t))
      return attribute
    })
  }
}

function isHalf({ dataType }: OnnxTensor): boolean {
  return dataType === HALF
}

function namesHalf({ name, i }: OnnxAttribute): boolean {
  return TYPE_ATTRIBUTES.has(name) && Number(i) === HALF
}

function widened(tensor: OnnxTensor): OnnxTensor {
  if (!isHalf(tensor)) return tensor
  const values = Float32Array.from(dataOf(tensor) as Uint16Array, fromHalf)
  return newTensor(tensor.name, 'float32', tensor.dims.map(Number), values)
}

function isHalfValue({ type }: OnnxValueInfo): boolean {
  return type?.value.case === 'tensorType' && type.value.value.elemType === HALF
}

function retype(info: OnnxValueInfo): void {
  if (isHalfValue(info) && info.type?.value.case === 'tensorType')
    info.type.value.value.elemType = FLOAT
}

/** Casts between the float16 that callers know and the float32 inside. */
function keepEdges(graph: OnnxGraph): void {
  const taken = new Set([
    ...namesRead(graph),
    ...graph.node.flatMap(({ output }) => output),
    ...graph.initializer.map(({ name }) => name),
  ])
  const fresh = (base: string) => {
    let name = base
    while (taken.has(name)) name = `${name}/wide`
    taken.add(name)
    return name
  }
  const given = new Set(graph.input.map(({ name }) => name))
  const entering = graph.input.filter(isHalfValue).map(({ name }) => {
    const wide = fresh(`${name}/wide`)
    renameReads(graph, name, wide)
    return cast(name, wide, FLOAT)
  })
  const leaving = graph.output
    .filter((output) => isHalfValue(output) && !given.has(output.name))
    .map(({ name }) => {
      const wide = fresh(`${name}/wide`)
      renameReads(graph, name, wide)
      for (const node of graph.node)
        node.output = node.output.map((output) => (output === name ? wide : output))
      for (const constant of graph.initializer) if (constant.name === name) constant.name = wide
      return cast(wide, name, HALF)
    })
  graph.node = [...entering, ...graph.node, ...leaving]
}

/** In the graph and those nested in it, which see its values. */
function renameReads(graph: OnnxGraph, from: string, to: string): void {
  for (const one of graphsWithin(graph)) {
    for (const node of one.node) node.input = node.input.map((name) => (name === from ? to : name))
    if (one === graph) continue
    for (const output of one.output) if (output.name === from) output.name = to
  }
}

function cast(from: string, to: string, type: number): OnnxNode {
  return newMessage('NodeProto', {
    opType: 'Cast',
    name: `Cast:${to}`,
    input: [from],
    output: [to],
    attribute: [newAttribute('to', 'int', type)],
  })
}
