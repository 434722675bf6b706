import type { Finding } from '../../../../shared/findings.ts'
import type { ARRAY_OF } from '../../../../shared/tensors.ts'
import {
  operatorName,
  prepare,
  type TflModel,
  type TflOperator,
  type TflSubgraph,
} from '../../tflite/index.ts'
import { newMessage, type OnnxModel, type OnnxValueInfo } from '../model.ts'
import { DATA_TYPES } from '../schema.ts'
import { ImportError } from './errors.ts'
import { GraphBuilder } from './graph-builder.ts'
import type { SourceOperator } from './lowering.ts'
import { LOWERINGS } from './lowerings/table.ts'

/** Opset 17 with IR version 8: ONNX Runtime takes them since 1.12, and every lowering is written for it. */
const OPSET = 17n
const IR_VERSION = 8n

export interface Imported {
  readonly model: OnnxModel
  readonly findings: readonly Finding[]
}

/**
 * A float .tflite model as an equivalent ONNX model: same inputs and outputs (names, order, N,H,W,C),
 * images inside in N,C,H,W. Constants
 * that are stored as integers or halves, or without their zeros, come back as float32. Outputs agree with LiteRT's within float rounding.
 * @throws ImportError `unsupported-operator` naming every operator in the way, `unsupported-model`
 */
export function importTflite(given: TflModel): Imported {
  const { model: source, findings } = prepare(given, {
    sources: 'dequantize',
    forIntegers: false,
  })
  const [main] = source.subgraphs
  if (main === undefined) throw new ImportError('unsupported-model', 'the model has no subgraph')
  refuseUnknown(source, main)
  refuseQuantized(main)
  const graph = new GraphBuilder(source, main)
  const names = callersNames(source)
  const inputs = main.inputs.map((index) => {
    const name = graph.fresh(names.inputs.get(index) ?? graph.tensor(index).name ?? `x${index}`)
    graph.alias(index, 'native', name)
    return valueInfo(graph, index, name)
  })
  for (const name of names.outputs.values()) graph.fresh(name)
  for (const operator of main.operators) lower(source, operator, graph)
  const outputs = main.outputs.map((index) => {
    const computed = graph.value(index)
    const name = names.outputs.get(index) ?? computed
    if (name !== computed) graph.node('Identity', [computed], [name])
    return valueInfo(graph, index, name)
  })
  return {
    model: assemble(main, graph, inputs, outputs),
    findings: [...findings, ...subgraphFindings(source)],
  }
}

/** Callers know the ends of the main graph by its signature, where it has one. */
function callersNames({ signatureDefs }: TflModel) {
  const signature = signatureDefs.find(({ subgraphIndex }) => subgraphIndex === 0)
  const named = (ends: { name: string | null; tensorIndex: number }[] = []) =>
    new Map(ends.flatMap(({ name, tensorIndex }) => (name === null ? [] : [[tensorIndex, name]])))
  return { inputs: named(signature?.inputs), outputs: named(signature?.outputs) }
}

function lower(source: TflModel, operator: TflOperator, graph: GraphBuilder): void {
  const kind = operatorName(source, operator)
  const options = operator.builtinOptions ?? operator.builtinOptions2
  const seen: SourceOperator = { kind, inputs: operator.inputs, outputs: operator.outputs, options }
  LOWERINGS[kind]?.(seen, graph)
}

function refuseUnknown(source: TflModel, main: TflSubgraph): void {
  const kinds = new Set(main.operators.map((operator) => operatorName(source, operator)))
  const missing = [...kinds].filter((kind) => !(kind in LOWERINGS))
  if (missing.length === 0) return
  throw new ImportError(
    'unsupported-operator',
    `the model cannot become ONNX: no equivalent for ${missing.join(', ')}; devices get it through LiteRT only`,
    { operators: missing },
  )
}

const CODES = ['INT4', 'INT8', 'UINT8', 'INT16']

/** Integer codes that are computed with have another form in ONNX; constants were undone before. */
function refuseQuantized(main: TflSubgraph): void {
  const quantized = main.tensors.find(
    ({ type, quantization }) => CODES.includes(type) && (quantization?.scale?.length ?? 0) > 0,
  )
  if (quantized === undefined) return
  throw new ImportError(
    'unsupported-model',
    `the model is quantized already (tensor "${quantized.name}" is ${quantized.type}): import the float model it was made from`,
    { tensor: quantized.name },
  )
}

function assemble(
  main: TflSubgraph,
  graph: GraphBuilder,
  input: OnnxValueInfo[],
  output: OnnxValueInfo[],
): OnnxModel {
  return newMessage('ModelProto', {
    irVersion: IR_VERSION,
    producerName: 'fitment',
    opsetImport: [newMessage('OperatorSetIdProto', { domain: '', version: OPSET })],
    graph: newMessage('GraphProto', {
      name: main.name ?? 'main',
      node: graph.nodes,
      initializer: graph.initializers,
      input,
      output,
    }),
  })
}

function valueInfo(graph: GraphBuilder, index: number, name: string): OnnxValueInfo {
  const dims = graph.shapeOf(index).map((dim, axis) => ({
    value:
      dim < 0
        ? { case: 'dimParam', value: axis === 0 ? 'batch' : `${name}_${axis}` }
        : { case: 'dimValue', value: BigInt(dim) },
  }))
  const elemType = DATA_TYPES[graph.typeOf(index) as keyof typeof ARRAY_OF].code
  return newMessage('ValueInfoProto', {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim: dims } } } },
  })
}

function subgraphFindings(source: TflModel): Finding[] {
  if (source.subgraphs.length === 1) return []
  return [
    {
      code: 'subgraphs-left-out',
      severity: 'warning',
      message: `only the first of ${source.subgraphs.length} subgraphs is imported: the others serve further signatures`,
    },
  ]
}
