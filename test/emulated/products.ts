import {
  DATA_TYPES,
  newMessage,
  type OnnxModel,
  type OnnxNode,
  type OnnxValueInfo,
  readOnnx,
  writeOnnx,
} from '../../planner/formats/onnx/index.ts'
import { type Dataset, samplesFor } from '../../shared/dataset/index.ts'
import { onnxruntime } from '../../shared/runtime/onnxruntime/onnxruntime.ts'
import { ARRAY_OF, type Tensor } from '../../shared/tensors.ts'

const PRODUCTS = new Set(['Conv', 'Gemm', 'MatMul'])

/** One quantized product of a model, as a model of its own. */
export interface Product {
  /** As findings call it. */
  readonly name: string
  readonly bytes: Uint8Array
  /** What it reads while the whole model answers samples, in real numbers. */
  readonly activations: Tensor
}

/** Each with the conversions around it, so that the runtime makes the same integer kernel of it. */
export async function productsOf(bytes: Uint8Array, dataset: Dataset): Promise<Product[]> {
  const model = readOnnx(bytes)
  const nodes = model.graph?.node ?? []
  const makers = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)))
  const makersOf = ({ input }: OnnxNode) => input.map((name) => makers.get(name))
  const stored = new Set(model.graph?.initializer.map(({ name }) => name))
  const products = nodes.filter((node) => {
    const [activation, ...constants] = makersOf(node)
    const dequantized = activation?.opType === 'DequantizeLinear'
    const weighted = constants.every((maker) => stored.has(maker?.input[0] ?? ''))
    return PRODUCTS.has(node.opType) && dequantized && weighted
  })
  const activations = await activationsOf(
    bytes,
    products.map(({ input: [name = ''] }) => name),
    dataset,
  )
  return products.flatMap((node) => {
    const [first, ...constants] = makersOf(node).filter((maker) => maker !== undefined)
    const read = activations.get(node.input[0] ?? '')
    if (first === undefined || read === undefined) return []
    const rounded = readerOf(node, nodes)
    const real = rounded?.opType === 'QuantizeLinear' ? readerOf(rounded, nodes) : undefined
    const behind = rounded && real ? [rounded, real] : []
    const quantize = newMessage('NodeProto', {
      opType: 'QuantizeLinear',
      input: ['real', ...first.input.slice(1)],
      output: first.input.slice(0, 1),
    })
    const all = [quantize, first, ...constants, node, ...behind]
    const name = all.at(-1)?.output[0] ?? ''
    const input = floats('real', read.shape.slice(1))
    return { name, bytes: cut(model, all, input, floats(name)), activations: read }
  })
}

function readerOf({ output }: OnnxNode, nodes: readonly OnnxNode[]): OnnxNode | undefined {
  return nodes.find(({ input }) => input[0] === output[0])
}

async function activationsOf(
  bytes: Uint8Array,
  names: readonly string[],
  dataset: Dataset,
): Promise<ReadonlyMap<string, Tensor>> {
  const model = readOnnx(bytes)
  const known = new Set(model.graph?.output.map(({ name }) => name))
  const seen = new Map<string, Tensor[]>(names.map((name) => [name, []]))
  model.graph?.output.push(
    ...[...seen.keys()].filter((name) => !known.has(name)).map((name) => floats(name)),
  )
  const session = await onnxruntime.load(writeOnnx(model), { threads: 1 })
  const samples = samplesFor(dataset, session.inputs)
  for (let i = 0; i < samples.count; i += 1) {
    const outputs = await session.run(samples.at(i))
    for (const [name, rows] of seen) rows.push(outputs[name] as Tensor)
  }
  await session.close()
  return new Map([...seen].map(([name, rows]) => [name, stacked(rows)]))
}

function cut(
  model: OnnxModel,
  node: OnnxNode[],
  input: OnnxValueInfo,
  output: OnnxValueInfo,
): Uint8Array {
  const read = new Set(node.flatMap(({ input }) => input))
  const graph = newMessage('GraphProto', {
    name: 'product',
    node,
    initializer: model.graph?.initializer.filter(({ name }) => read.has(name)) ?? [],
    input: [input],
    output: [output],
  })
  const { irVersion, opsetImport } = model
  return writeOnnx(newMessage('ModelProto', { irVersion, opsetImport, graph }))
}

function floats(name: string, shape?: readonly number[]): OnnxValueInfo {
  const dim = shape?.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } }))
  const tensor = { elemType: DATA_TYPES.float32.code, ...(dim && { shape: { dim } }) }
  return newMessage('ValueInfoProto', {
    name,
    type: { value: { case: 'tensorType', value: tensor } },
  })
}

function stacked(rows: readonly Tensor[]): Tensor {
  const size = rows[0]?.data.length ?? 0
  const data = new ARRAY_OF.float32(rows.length * size)
  rows.forEach((row, i) => {
    data.set(row.data as Float32Array, i * size)
  })
  return { type: 'float32', shape: [rows.length, ...(rows[0]?.shape ?? [])], data }
}
