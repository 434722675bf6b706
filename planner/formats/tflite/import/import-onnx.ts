import type { Finding } from '../../../../shared/findings.ts'
import {
  checkOnnx,
  hasExternalData,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  opsetOf,
  readOnnx,
} from '../../onnx/index.ts'
import { operatorName, readsOf } from '../../onnx/source.ts'
import type { Draft, DraftSubgraph, DraftTensor } from '../draft.ts'
import { finishDraft } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'
import { noteRelease } from '../transform/release-note.ts'
import { settleVersion } from '../transform/signatures.ts'
import { cast } from './emit.ts'
import { OnnxImportError, Refusal } from './errors.ts'
import { GraphBuilder } from './graph-builder.ts'
import { hasChannels, type Layout, perAxisIn } from './layout.ts'
import { REFUSED } from './lowerings/refused.ts'
import { LOWERINGS } from './lowerings/table.ts'
import { closeInputs } from './source/close-inputs.ts'
import { prepareSource } from './source/prepare-source.ts'
import { SourceGraph } from './source/source-graph.ts'
import { tidy } from './tidy.ts'

export interface OnnxImportOptions {
  /** In which order images stand at inputs and outputs: the source's, or channels last. */
  readonly edges?: Layout
  /** Size of an open batch; 1 where absent. */
  readonly batch?: number
}

export interface OnnxImported {
  readonly model: TflModel
  readonly findings: readonly Finding[]
  /** How many TRANSPOSE are left. */
  readonly transposes: number
  /** Inputs whose batch the source leaves open. */
  readonly openBatch: readonly string[]
  /** Values of the source that tensors of the same name hold, and in which layout. */
  readonly homes: ReadonlyMap<string, Layout>
}

/**
 * A float .onnx model as an equivalent .tflite model: same inputs and outputs (names, order, N,C,H,W unless asked
 * otherwise), images inside in N,H,W,C. Outputs agree with ONNX Runtime's within float rounding.
 * @throws OnnxImportError `unsupported-operator` naming every operator in the way, `unsupported-model`, `open-shape`;
 * OnnxError
 */
export async function importOnnx(
  bytes: Uint8Array,
  fileName: string,
  options: OnnxImportOptions = {},
): Promise<OnnxImported> {
  const source = sound(readOnnx(bytes, fileName), fileName)
  const openBatch = closeInputs(source, options.batch ?? 1)
  const { types, findings } = await prepareSource(source)
  const graph = new GraphBuilder(new SourceGraph(source.graph as OnnxGraph, types))
  const draft = refusing(() =>
    draftFrom(graph, source.graph as OnnxGraph, options.edges ?? 'source'),
  )
  const [main] = draft.subgraphs as [DraftSubgraph]
  tidy(main)
  nameApart(main, graph.named)
  for (const operator of main.operators) settleVersion(operator, null)
  noteRelease(draft)
  const transposes = main.operators.filter(({ code }) => code.builtinCode === 'TRANSPOSE').length
  return { model: finishDraft(draft), findings, transposes, openBatch, homes: graph.homes() }
}

/** What stands in the way of an end of the model, not of an operator, is in the way of all of it. */
function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new OnnxImportError(
      'unsupported-model',
      `the model cannot become .tflite: ${error.message}; devices get it through ONNX Runtime only`,
    )
  }
}

/** Opsets whose operators the lowerings know, after upgrades; ONNX Runtime here loads no newer one. */
const [OLDEST_OPSET, NEWEST_OPSET] = [7, 26]

function sound(model: OnnxModel, fileName: string): OnnxModel {
  if (hasExternalData(model)) {
    throw new OnnxImportError(
      'unsupported-model',
      `${fileName} keeps constants in another file, which is missing`,
    )
  }
  const problem = checkOnnx(model).find(({ severity }) => severity === 'error')
  if (problem !== undefined)
    throw new OnnxImportError('unsupported-model', `${fileName}: ${problem.message}`)
  const opset = opsetOf(model)
  if (opset > NEWEST_OPSET || opset < OLDEST_OPSET) {
    throw new OnnxImportError(
      'unsupported-model',
      `${fileName} is of opset ${opset}: export it with one from ${OLDEST_OPSET} to ${NEWEST_OPSET}`,
      { opset },
    )
  }
  return model
}

function draftFrom(graph: GraphBuilder, source: OnnxGraph, edges: Layout): Draft {
  const inputs = source.input.map(({ name }) => ({ name, tensor: enter(graph, name, edges) }))
  lowerAll(graph, source.node)
  const outputs = leave(
    graph,
    source,
    edges,
    inputs.map(({ tensor }) => tensor),
  )
  return {
    model: {
      version: 3,
      description: 'fitment',
      operatorCodes: [],
      subgraphs: [],
      buffers: [],
      metadata: [],
      signatureDefs: [],
      metadataBuffer: null,
    },
    subgraphs: [
      {
        source: {
          name: source.name || 'main',
          tensors: [],
          inputs: [],
          outputs: [],
          operators: [],
        },
        tensors: graph.tensors,
        inputs: inputs.map(({ tensor }) => tensor),
        outputs: outputs.map(({ tensor }) => tensor),
        operators: graph.operators,
      },
    ],
    metadata: [],
    oldMetadata: null,
    signatures: [
      {
        source: { signatureKey: 'serving_default', subgraphIndex: 0, inputs: [], outputs: [] },
        inputs,
        outputs,
      },
    ],
  }
}

function enter(graph: GraphBuilder, name: string, edges: Layout): DraftTensor {
  const shape = graph.shapeOf(name)
  const layout = hasChannels(shape.length) ? edges : 'source'
  const type = graph.source.storedTypeOf(name).toUpperCase()
  const tensor = graph.fresh(type, perAxisIn(layout, shape))
  tensor.fields.name = name
  // Kernels compute in float32; doubles and halves are only what callers hand over.
  graph.give(
    name,
    layout,
    type === 'FLOAT64' || type === 'FLOAT16' ? cast(graph, tensor, 'FLOAT32') : tensor,
  )
  return tensor
}

interface Obstacle {
  readonly operator: string
  readonly reason: string
  readonly node: string
}

function lowerAll(graph: GraphBuilder, nodes: readonly OnnxNode[]): void {
  const obstacles: Obstacle[] = []
  /** Values that a refused node would have made: whoever reads them is judged by its name alone. */
  const missing = new Set<string>()
  for (const node of nodes) {
    const operator = operatorName(node)
    const isBehind = readsOf(node).some((name) => missing.has(name))
    const reason = isBehind ? unknownOperator(operator) : lowered(graph, node, operator)
    if (reason === null && !isBehind) continue
    node.output.forEach(missing.add, missing)
    if (reason !== null) obstacles.push({ operator, reason, node: labelOf(node) })
  }
  if (obstacles.length === 0) return
  throw new OnnxImportError('unsupported-operator', sentence(obstacles), {
    operators: [...new Set(obstacles.map(({ operator }) => operator))],
    obstacles,
  })
}

function labelOf({ name, output }: OnnxNode): string {
  return name || (output.find(Boolean) ?? '')
}

function unknownOperator(operator: string): string | null {
  return operator in LOWERINGS ? null : (REFUSED[operator] ?? 'no equivalent')
}

/** Why it cannot be; null where it was. */
function lowered(graph: GraphBuilder, node: OnnxNode, operator: string): string | null {
  const row = LOWERINGS[operator]
  if (row === undefined) return unknownOperator(operator)
  try {
    const broken = row.constraints
      .map((constraint) => constraint(node, graph))
      .find((reason) => reason !== null)
    if (broken !== undefined) return broken
    row.lower(node, graph)
    return null
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}

/** Names the operators, each with the first reason that stands in its way. */
function sentence(obstacles: readonly Obstacle[]): string {
  const first = new Map<string, Obstacle>()
  for (const obstacle of obstacles)
    if (!first.has(obstacle.operator)) first.set(obstacle.operator, obstacle)
  const parts = [...first.values()].map(
    ({ operator, reason, node }) => `${operator} "${node}" (${reason})`,
  )
  return `the model cannot become .tflite: ${parts.join(', ')}; devices get it through ONNX Runtime only`
}

/** Every output is a tensor of its own that an operator computes, under the name callers know. */
function leave(
  graph: GraphBuilder,
  source: OnnxGraph,
  edges: Layout,
  inputs: readonly DraftTensor[],
) {
  const taken = new Set<DraftTensor>(inputs)
  const computed = source.output.map(({ name }) => {
    const layout = hasChannels(graph.shapeOf(name).length) ? edges : 'source'
    return { name, from: graph.value(name, layout) }
  })
  const changing = reachedFrom(graph, inputs)
  return computed.map(({ name, from }) => {
    if (!changing.has(from)) {
      throw new OnnxImportError(
        'unsupported-model',
        `output "${name}" is the same whatever the inputs are: take it out of the model`,
        { name },
      )
    }
    const tensor = taken.has(from) ? copied(graph, from) : from
    tensor.fields.name = name
    taken.add(tensor)
    return { name, tensor }
  })
}

/** What changes with the inputs: runtimes give out nothing of results that are known when a model loads. */
function reachedFrom(graph: GraphBuilder, inputs: readonly DraftTensor[]): Set<DraftTensor> {
  const reached = new Set<DraftTensor>(inputs)
  for (const operator of graph.operators) {
    if (!operator.inputs.some((tensor) => tensor && reached.has(tensor))) continue
    for (const tensor of operator.outputs) if (tensor) reached.add(tensor)
  }
  return reached
}

function copied(graph: GraphBuilder, from: DraftTensor): DraftTensor {
  const shape = from.fields.shape as number[]
  return graph.compute('RESHAPE', [from, graph.int32s('shape', shape)], shape, { newShape: shape })
}

/** Runtimes find tensors by name: callers' names stay, others get a number where two are alike. */
function nameApart(
  { inputs, outputs, operators }: DraftSubgraph,
  named: ReadonlySet<DraftTensor>,
): void {
  const edges = new Set([...inputs, ...outputs])
  const taken = new Set([...edges].map(({ fields }) => fields.name))
  for (const tensor of named) taken.add(tensor.fields.name)
  const counts = new Map<string, number>()
  for (const { inputs, outputs } of operators) {
    for (const tensor of [...inputs, ...outputs]) {
      if (tensor === null || edges.has(tensor)) continue
      edges.add(tensor)
      if (named.has(tensor)) continue
      tensor.fields.name = freeName(tensor.fields.name || 'tensor', taken, counts)
      taken.add(tensor.fields.name)
    }
  }
}

function freeName(
  base: string,
  taken: ReadonlySet<string | null>,
  counts: Map<string, number>,
): string {
  if (!taken.has(base)) return base
  for (;;) {
    const count = (counts.get(base) ?? 0) + 1
    counts.set(base, count)
    const name = `${base};${count}`
    if (!taken.has(name)) return name
  }
}
