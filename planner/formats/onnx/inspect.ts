import type { InspectedOperator, InspectedTensor, Inspection } from '../../graph/index.ts'
import { referenceTarget, targetOf } from '../../targets/index.ts'
import { readOnnx } from './codec.ts'
import { CONTRIB, operatorName } from './domains.ts'
import { dataTypeName, type OnnxGraph, type OnnxModel, type OnnxValueInfo } from './model.ts'
import { nativeOperator } from './native-operators.ts'
import { inlineFunctions } from './prepare/inline-functions.ts'
import { elementCount } from './tensor-data.ts'
import { graphsOf, tensorsOf } from './walk.ts'

/** @throws OnnxError where the bytes are no model */
export function inspectOnnx(bytes: Uint8Array, fileName: string): Inspection {
  const model = readOnnx(bytes, fileName)
  inlineFunctions(model)
  const graphs = [...graphsOf(model)]
  const constant = new Set(model.graph?.initializer.map(({ name }) => name))
  return {
    format: 'onnx',
    bytes: bytes.length,
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(' ') || null,
    inputs: (model.graph?.input ?? []).filter(({ name }) => !constant.has(name)).map(endOf),
    outputs: (model.graph?.output ?? []).map(endOf),
    operators: operatorsOf(graphs),
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
const KNOWN_DOMAINS = ['ai.onnx.ml', CONTRIB]

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

const { kernels } = targetOf(referenceTarget('onnx'))

function operatorsOf(graphs: readonly OnnxGraph[]): Inspection['operators'] {
  const matrices = new Set(
    graphs.flatMap(({ initializer }) =>
      initializer.flatMap(({ name, dims }) => (dims.length === 2 ? [name] : [])),
    ),
  )
  const found = new Map<string, InspectedOperator>()
  for (const node of graphs.flatMap((graph) => graph.node)) {
    const operator = operatorName(node)
    const isMatrix = (input: number) => matrices.has(node.input[input] ?? '')
    const { kind } = nativeOperator(node, isMatrix)
    // What one kind computes on integers, another of the same name may not: Resize does by its mode.
    const key = `${operator} ${kind}`
    found.set(key, {
      operator,
      native: operator,
      count: (found.get(key)?.count ?? 0) + 1,
      kind,
      integerKernel: kernels[kind].integer !== null,
      obstacle: domainObstacle(operator),
    })
  }
  return [...found.values()].sort((a, b) => b.count - a.count)
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
