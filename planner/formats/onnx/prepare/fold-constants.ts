import { loadNative } from '../../../../shared/runtime/index.ts'
import { ARRAY_OF, type ElementType, sizeOf, type TensorData } from '../../../../shared/tensors.ts'
import { floatOf, floatsOf, hasAttribute, intOf, intsOf, tensorOf } from '../attributes.ts'
import { writeOnnx } from '../codec.ts'
import {
  copyMessage,
  newMessage,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../model.ts'
import type { ValueTypes } from '../shapes/infer.ts'
import { dataOf, elementCount, elementTypeOf, newTensor } from '../tensor-data.ts'
import { namesRead } from '../walk.ts'

/** Results above this stay computed: a few bytes of a hostile file could ask for any amount of memory. */
const LARGEST_RESULT = 2 ** 28

/** Different at every run, or about number formats, which folding would undo. */
const NOT_FOLDED = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
  'QuantizeLinear',
  'DynamicQuantizeLinear',
])

export interface FoldOptions {
  /** Constants stored as integers or halves may be expanded to float32. */
  readonly expandStored: boolean
  readonly types: ValueTypes
  /** Tables that a few numbers unfold into are computed as well. */
  readonly unfold?: boolean
}

export interface Folded {
  /** How many nodes went. */
  readonly nodes: number
  /** Constants in memory of their own: no part of the file. */
  readonly computed: readonly OnnxTensor[]
}

const NOTHING: Folded = { nodes: 0, computed: [] }

/**
 * Nodes that read constants only become constants, computed by ONNX Runtime itself in one run; what is one number
 * over and over needs no runtime. Changes `model`.
 */
export async function foldConstants(model: OnnxModel, options: FoldOptions): Promise<Folded> {
  const { graph } = model
  if (graph === undefined) return NOTHING
  const { folded, inline } = chooseFolded(graph, options)
  const rest = graph.node.filter((node) => !folded.has(node))
  const read = namesRead({ ...graph, node: rest })
  const constants = [...graph.initializer, ...inline]
  const filled = fillsOf(folded, constants, read)
  const made = new Set([...inline, ...filled].map(({ name }) => name))
  const computing = [...folded].filter(({ output: [name = ''] }) => !made.has(name))
  const wanted = computing.flatMap(({ output }) => output).filter((name) => read.has(name))
  const computed = await evaluate(model, constants, computing, wanted)
  if (computed === null) return NOTHING
  graph.node = rest
  const own = [...filled, ...computed]
  graph.initializer.push(...inline.filter(({ name }) => read.has(name)), ...own)
  return { nodes: folded.size, computed: own }
}

function chooseFolded(graph: OnnxGraph, options: FoldOptions) {
  const outputs = new Set(graph.output.map(({ name }) => name))
  /** Elements of what is constant. */
  const known = new Map(graph.initializer.map((tensor) => [tensor.name, elementCount(tensor)]))
  const folded = new Set<OnnxNode>()
  const inline: OnnxTensor[] = []
  for (const node of graph.node) {
    // A graph output needs a node that gives it out.
    if (node.output.some((name) => outputs.has(name))) continue
    const constant = node.opType === 'Constant' ? constantOf(node) : undefined
    if (constant !== undefined) {
      inline.push(constant)
      known.set(constant.name, elementCount(constant))
    } else if (
      isFoldable(node, known, options) &&
      (options.unfold || !grows(node, known, options))
    ) {
      for (const name of node.output) known.set(name, elementsOf(name, options))
    } else continue
    folded.add(node)
  }
  return { folded, inline }
}

function isFoldable(
  node: OnnxNode,
  known: ReadonlyMap<string, number>,
  options: FoldOptions,
): boolean {
  const inputs = node.input.filter((name) => name !== '')
  if (node.domain !== '' || NOT_FOLDED.has(node.opType)) return false
  if (inputs.length === 0 || !inputs.every((name) => known.has(name))) return false
  const expands = node.opType === 'DequantizeLinear' || node.opType === 'Cast'
  if (expands && !options.expandStored) return false
  if (node.attribute.some(({ g, graphs }) => g !== undefined || graphs.length > 0)) return false
  return node.output.every((name) => {
    const { shape = null, type = null } = options.types.get(name) ?? {}
    const size = shape?.reduce((product, dim) => product * Math.abs(dim), 1) ?? 1
    return type !== null && size <= LARGEST_RESULT
  })
}

/** Tables that a few numbers unfold into, such as positions, masks and windows, are computed when the model loads. */
const UNFOLDED_ELEMENTS = 4096

/** Whether the file would hold far more numbers for it. */
function grows(node: OnnxNode, sizes: ReadonlyMap<string, number>, options: FoldOptions): boolean {
  const from = node.input.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0)
  const to = node.output.reduce((sum, name) => sum + elementsOf(name, options), 0)
  return to > UNFOLDED_ELEMENTS && to > 2 * from
}

function elementsOf(name: string, { types }: FoldOptions): number {
  return sizeOf((types.get(name)?.shape ?? []).map((dim) => Math.max(dim, 1)))
}

/** The tensor a Constant node stands for; undefined for strings and sparse ones, which stay. */
function constantOf(node: OnnxNode): OnnxTensor | undefined {
  const [name = ''] = node.output
  const tensor = tensorOf(node, 'value')
  if (tensor !== undefined)
    return elementTypeOf(tensor) && copyMessage('TensorProto', tensor, { name })
  if (hasAttribute(node, 'value_float'))
    return newTensor(name, 'float32', [], Float32Array.of(floatOf(node, 'value_float', 0)))
  if (hasAttribute(node, 'value_int'))
    return newTensor(name, 'int64', [], BigInt64Array.of(BigInt(intOf(node, 'value_int', 0))))
  const floats = floatsOf(node, 'value_floats')
  if (hasAttribute(node, 'value_floats') && floats)
    return newTensor(name, 'float32', [floats.length], Float32Array.from(floats))
  const ints = intsOf(node, 'value_ints')
  if (hasAttribute(node, 'value_ints') && ints)
    return newTensor(name, 'int64', [ints.length], BigInt64Array.from(ints, BigInt))
  return undefined
}

/**
 * What nodes fill for those that stay. What others that go read is left to the runtime, which holds one after the other,
 * not all at once.
 */
function fillsOf(
  folded: ReadonlySet<OnnxNode>,
  constants: readonly OnnxTensor[],
  read: ReadonlySet<string>,
): OnnxTensor[] {
  const stored = new Map(constants.map((tensor) => [tensor.name, tensor]))
  const passing = new Set([...folded].flatMap(({ input }) => input))
  return [...folded].flatMap((node) => {
    const [name = ''] = node.output
    return read.has(name) && !passing.has(name) ? (fillOf(node, stored) ?? []) : []
  })
}

/** What a ConstantOfShape makes, where the file tells the shape; undefined for all else. */
function fillOf(node: OnnxNode, stored: ReadonlyMap<string, OnnxTensor>): OnnxTensor | undefined {
  const [name = ''] = node.output
  const shape = stored.get(node.input[0] ?? '')
  const value = tensorOf(node, 'value') ?? newTensor('', 'float32', [1], Float32Array.of(0))
  const type = elementTypeOf(value)
  if (node.opType !== 'ConstantOfShape' || !shape || !type) return undefined
  const dims = Array.from(dataOf(shape), Number)
  const size = dims.some((dim) => dim < 0) ? Number.POSITIVE_INFINITY : sizeOf(dims)
  const numbers = dataOf(value)
  if (size > LARGEST_RESULT || numbers.length !== 1) return undefined
  const data = new ARRAY_OF[type](size)
  data.fill(numbers[0] as never)
  return newTensor(name, type, dims, data)
}

/** Null where the runtime cannot: the nodes then stay, and fail or not when the model runs. */
async function evaluate(
  model: OnnxModel,
  constants: readonly OnnxTensor[],
  node: OnnxNode[],
  wanted: readonly string[],
): Promise<OnnxTensor[] | null> {
  if (wanted.length === 0) return []
  const read = new Set(node.flatMap(({ input }) => input))
  const graph = newMessage('GraphProto', {
    name: 'constants',
    node,
    initializer: constants.filter(({ name }) => read.has(name)),
    output: wanted.map((name) => newMessage('ValueInfoProto', { name })),
  })
  const ort = await loadNative()
  try {
    const session = await ort.InferenceSession.create(writeOnnx({ ...model, graph }), {
      graphOptimizationLevel: 'disabled',
      enableCpuMemArena: false,
      enableMemPattern: false,
      logSeverityLevel: 4,
    })
    const values = await session.run({})
    const tensors = wanted.map((name) => {
      const { type, dims, data } = values[name] as import('onnxruntime-node').Tensor
      return newTensor(name, type as ElementType, dims, data as TensorData)
    })
    await session.release()
    return tensors
  } catch {
    return null
  }
}
