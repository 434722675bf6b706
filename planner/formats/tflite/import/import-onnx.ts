import type { Finding } from '../../../../shared/findings.ts'
import {
  checkOnnx,
  hasExternalData,
  type OnnxGraph,
  type OnnxModel,
  opsetOf,
  readOnnx,
} from '../../onnx/index.ts'
import type { Draft, DraftSubgraph, DraftTensor } from '../draft.ts'
import { finishDraft } from '../finish-draft.ts'
import type { TflModel } from '../model.ts'
import { noteRelease } from '../transform/release-note.ts'
import { cast } from './emit.ts'
import { OnnxImportError, Refusal } from './errors.ts'
import { GraphBuilder } from './graph-builder.ts'
import { hasChannels, type Layout, perAxisIn } from './layout.ts'
import { lowerNodes } from './lower-nodes.ts'
import { settleSubgraph } from './settle-subgraph.ts'
import { closeInputs } from './source/close-inputs.ts'
import { prepareSource } from './source/prepare-source.ts'
import { SourceGraph } from './source/source-graph.ts'

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
  const { types, findings, loops } = await prepareSource(source)
  const graph = new GraphBuilder(new SourceGraph(source.graph as OnnxGraph, types, loops))
  const draft = refusing(() =>
    draftFrom(graph, source.graph as OnnxGraph, options.edges ?? 'source'),
  )
  const [main] = draft.subgraphs as [DraftSubgraph]
  settleSubgraph(main, graph.named)
  noteRelease(draft)
  const transposes = draft.subgraphs
    .flatMap(({ operators }) => operators)
    .filter(({ code }) => code.builtinCode === 'TRANSPOSE').length
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
  lowerNodes(graph, source.node)
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
      ...graph.subgraphs,
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
