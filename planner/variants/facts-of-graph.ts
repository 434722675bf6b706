import type { Finding } from '../../shared/findings.ts'
import type { ModelFormat, TensorInfo } from '../../shared/runtime/index.ts'
import { sizeOf } from '../../shared/tensors.ts'
import { type Graph, type GraphOperator, type GraphTensor, workOf } from '../graph/index.ts'
import { LEAST_WEIGHT } from '../quantizer/index.ts'
import type { KernelFacts, KernelTable } from '../targets/index.ts'
import { referenceTarget, targetOf } from '../targets/index.ts'
import type { ModelFacts, OnnxFacts, TfliteFacts } from './facts.ts'

const FLOAT_BYTES = 4
const QUANTIZED_TYPES: ReadonlySet<string> = new Set(['int4', 'int8', 'uint8', 'int16'])

export interface GraphSource {
  readonly format: ModelFormat
  readonly bytes: number
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  readonly onnx: ModelFacts['onnx']
  readonly tflite: ModelFacts['tflite']
}

export function factsOfGraph(graph: Graph, source: GraphSource): ModelFacts {
  const constants = distinctConstants(graph.tensors)
  const floats = constants.filter(isFloat)
  const activations = graph.tensors.filter((t) => t.constant === null && !t.variable)
  return {
    format: source.format,
    bytes: source.bytes,
    inputs: source.inputs.map(({ name, type, shape }) => ({ name, type, shape: [...shape] })),
    outputs: source.outputs.map(({ name, type, shape }) => ({ name, type, shape: [...shape] })),
    operators: countKinds(graph.operators),
    floatElements: total(floats),
    ...kernelElements(graph, kernelsOf(source.format)),
    quantizedElements: total(constants.filter(isQuantized)),
    largestActivationBytes: FLOAT_BYTES * Math.max(0, ...activations.map(elements)),
    macs: graph.operators.reduce((sum, operator) => sum + workOf(operator, graph), 0),
    onnx: source.onnx,
    tflite: source.tflite,
  }
}

export function onnxFactsOf(graph: Graph, opset: number): OnnxFacts {
  const facts = kernelsOf('onnx')
  const blocks = weightsOf(graph, facts, (row) => row.blocks === true).filter(isWorthwhile)
  return { opset, ...kernelElements(graph, facts), blockElements: total(blocks) }
}

export function tfliteFactsOf(graph: Graph): TfliteFacts {
  return kernelElements(graph, kernelsOf('tflite'))
}

function kernelsOf(format: ModelFormat): KernelTable {
  return targetOf(referenceTarget(format)).kernels
}

function kernelElements(graph: Graph, facts: KernelTable) {
  const hybrid = weightsOf(graph, facts, (row) => row.hybrid !== null).filter(isWorthwhile)
  const integer = weightsOf(graph, facts, (row) => row.integer !== null)
  return { hybridElements: total(hybrid), integerElements: total(integer) }
}

/** What the user must know of this source before anything is built from it. */
export function findingsOf(facts: ModelFacts): readonly Finding[] {
  if (facts.quantizedElements === 0) return []
  const all = facts.quantizedElements + facts.floatElements
  const share = Math.round((100 * facts.quantizedElements) / all)
  return [
    {
      code: 'source-already-quantized',
      severity: 'warning',
      message: `the source is no float model: ${share} % of its constants are quantized already, so "float32" means this file as given, and what was lost in it stays lost; register the float model if you have it`,
    },
  ]
}

/** Weights, each stored constant once, of operators about which the facts say yes. */
function weightsOf(
  graph: Graph,
  facts: KernelTable,
  applies: (row: KernelFacts) => boolean,
): GraphTensor[] {
  const weights = graph.operators
    .filter(({ kind, integerObstacle }) => applies(facts[kind]) && integerObstacle === null)
    .flatMap(({ inputs }) => inputs.filter(({ role }) => role === 'weight'))
    .flatMap(({ tensor }) => (tensor === null ? [] : (graph.tensors[tensor] ?? [])))
  return distinctConstants(weights)
}

function distinctConstants(tensors: readonly GraphTensor[]): GraphTensor[] {
  const byStorage = new Map<number, GraphTensor>()
  for (const tensor of tensors) {
    if (tensor.constant) byStorage.set(tensor.constant.storage, tensor)
  }
  return [...byStorage.values()]
}

/** Below some size, kernels with float activations lose more than they gain. */
function isWorthwhile(weight: GraphTensor): boolean {
  return isFloat(weight) && elements(weight) >= LEAST_WEIGHT
}

function isFloat({ type }: GraphTensor): boolean {
  return type === 'float32'
}

function isQuantized({ type, quantization }: GraphTensor): boolean {
  return quantization !== null && QUANTIZED_TYPES.has(type)
}

function countKinds(operators: readonly GraphOperator[]): ModelFacts['operators'] {
  const counts = new Map<string, number>()
  for (const { kind } of operators) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => b.count - a.count)
}

function total(tensors: readonly GraphTensor[]): number {
  return tensors.reduce((sum, tensor) => sum + elements(tensor), 0)
}

/** Open dimensions count one; an unknown rank counts nothing. */
function elements({ shape }: GraphTensor): number {
  return shape === null ? 0 : sizeOf(shape.map((dim) => Math.max(dim, 1)))
}
