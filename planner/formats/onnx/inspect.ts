import type { InspectedTensor, Inspection } from '../../graph/inspection.ts'
import { readOnnx } from './codec.ts'
import { dataTypeName, type OnnxModel, type OnnxValueInfo } from './model.ts'
import { elementCount } from './tensor-data.ts'
import { graphsOf, tensorsOf } from './walk.ts'

/** Kinds that ONNX Runtime's CPU kernels compute on integers between QuantizeLinear and DequantizeLinear (1.30, measured). */
const INTEGER_KERNELS = new Set([
  'Conv',
  'Gemm',
  'MatMul',
  'Add',
  'Mul',
  'Concat',
  'AveragePool',
  'GlobalAveragePool',
  'Sigmoid',
  'LeakyRelu',
  'Softmax',
  'MaxPool',
  'Transpose',
  'Reshape',
  'Resize',
  'Split',
  'Where',
  'ArgMax',
])

/** @throws OnnxError where the bytes are no model */
export function inspectOnnx(bytes: Uint8Array, fileName: string): Inspection {
  const model = readOnnx(bytes, fileName)
  const graphs = [...graphsOf(model)]
  const constant = new Set(model.graph?.initializer.map(({ name }) => name))
  return {
    format: 'onnx',
    bytes: bytes.length,
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' ') || null,
    inputs: (model.graph?.input ?? []).filter(({ name }) => !constant.has(name)).map(endOf),
    outputs: (model.graph?.output ?? []).map(endOf),
    operators: operatorsOf(graphs.flatMap(({ node }) => node)),
    subgraphs: graphs.length,
    constants: constantsOf(model),
    versions: {
      ir: String(model.irVersion),
      ...Object.fromEntries(
        model.opsetImport.map(({ domain, version }) => [domain || 'ai.onnx', String(version)]),
      ),
    },
  }
}

/** What ONNX Runtime knows without libraries of custom operators. */
const KNOWN_DOMAINS = ['ai.onnx.ml', 'com.microsoft']

function domainObstacle(operator: string): string | null {
  const domain = operator.split('.').slice(0, -1).join('.')
  if (domain === '' || KNOWN_DOMAINS.includes(domain)) return null
  return `"${operator}" is a custom operator of domain ${domain}, which no runtime for devices here carries: export the model with standard operators only`
}

function endOf({ name, type }: OnnxValueInfo): InspectedTensor {
  if (type?.value.case !== 'tensorType')
    return { name, type: type?.value.case ?? 'unknown', shape: [] }
  const { elemType, shape } = type.value.value
  const dims = (shape?.dim ?? []).map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : -1,
  )
  return { name, type: dataTypeName(elemType) ?? `type ${elemType}`, shape: dims }
}

function operatorsOf(
  nodes: readonly { domain: string; opType: string }[],
): Inspection['operators'] {
  const counts = new Map<string, number>()
  for (const { domain, opType } of nodes) {
    const name = domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts]
    .map(([operator, count]) => ({
      operator,
      count,
      kind: operator,
      integerKernel: INTEGER_KERNELS.has(operator),
      obstacle: domainObstacle(operator),
    }))
    .sort((a, b) => b.count - a.count)
}

function constantsOf(model: OnnxModel): Inspection['constants'] {
  const types: Record<string, number> = {}
  let elements = 0
  let count = 0
  for (const tensor of tensorsOf(model)) {
    const size = elementCount(tensor)
    const type = dataTypeName(tensor.dataType) ?? `type ${tensor.dataType}`
    types[type] = (types[type] ?? 0) + size
    elements += size
    count += 1
  }
  return { count, elements, types }
}
