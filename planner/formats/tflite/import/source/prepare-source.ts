import type { Finding } from '../../../../../shared/findings.ts'
import type { OnnxGraph, OnnxModel, OnnxNode } from '../../../onnx/index.ts'
import {
  DATA_TYPES,
  newAttribute,
  newTensor,
  OnnxError,
  readOnnx,
  writeOnnx,
} from '../../../onnx/index.ts'
import {
  applyRules,
  dynamicAsFloats,
  foldConstants,
  GraphEditor,
  inferValues,
  intOf,
  prepareModel,
  sweep,
  type ValueTypes,
} from '../../../onnx/source.ts'
import { inlineBranches } from './inline-branches.ts'
import { closeLoops } from './loop-bodies.ts'
import { PATTERNS } from './patterns.ts'
import { scansAsLoops } from './scans-as-loops.ts'
import type { LoopBody, Loops } from './source-graph.ts'
import { splitFused } from './split-fused.ts'
import { unrollLoops } from './unroll-loops.ts'

/** Shapes follow from shapes that were just computed: reached after a few rounds by every exporter's chain. */
const MOST_ROUNDS = 12

/**
 * Brings a model with closed inputs into the form that lowerings know: as for quantization, sizes computed beforehand,
 * chains that are one kernel said as one. Changes `model`.
 * @throws OnnxError
 */
export async function prepareSource(model: OnnxModel): Promise<Prepared> {
  if (model.graph !== undefined) {
    splitFused(model.graph)
    dynamicAsFloats(model.graph)
  }
  const { types } = await prepareModel(model, {
    forIntegers: false,
    expandStored: true,
    widenHalves: true,
  })
  const { graph } = model
  const loops = new Map<OnnxNode, LoopBody | string>()
  if (graph === undefined) return { types, findings: [], loops }
  const settled = { ...(await settle(model, graph, types, loops)), loops }
  // Names and types of results stay, so that nothing is to be inferred anew.
  applyRules(new GraphEditor(graph, settled.types), PATTERNS)
  sweep(graph)
  return settled
}

export interface Prepared extends Settled {
  readonly loops: Loops
}

interface Settled {
  readonly types: ValueTypes
  readonly findings: readonly Finding[]
}

/**
 * What is known before the model runs is computed, then branches become part of the graph: both, with a choice between
 * their results; where the sizes of the inputs fit only one of them, that one, as the other could not run.
 */
async function settle(
  model: OnnxModel,
  graph: OnnxGraph,
  inferred: ValueTypes,
  loops: Map<OnnxNode, LoopBody | string>,
): Promise<Settled> {
  let types = inferred
  for (
    let round = 0;
    round < MOST_ROUNDS && (await computeKnown(model, graph, types));
    round += 1
  ) {
    sweep(graph)
    types = await inferValues(model)
  }
  if ((await closeLoops(model, graph, types, loops, prepareSource)) > 0)
    return await settle(model, graph, await inferValues(model), loops)
  if (!graph.node.some(({ opType, domain }) => opType === 'If' && domain === ''))
    return { types, findings: [] }
  const before = writeOnnx(model)
  for (const which of ['both', 'then'] as const) {
    try {
      return await withBranches(model, graph, which, loops)
    } catch (error) {
      if (!(error instanceof OnnxError)) throw error
      Object.assign(graph, readOnnx(before).graph)
    }
  }
  return await withBranches(model, graph, 'else', loops)
}

async function withBranches(
  model: OnnxModel,
  graph: OnnxGraph,
  which: 'both' | 'then' | 'else',
  loops: Map<OnnxNode, LoopBody | string>,
): Promise<Settled> {
  const taken = inlineBranches(graph, which)
  sweep(graph)
  if (taken === 0) return { types: await inferValues(model), findings: [] }
  const { types, findings } = await settle(model, graph, await inferValues(model), loops)
  return { types, findings: which === 'both' ? findings : [oneBranch(which), ...findings] }
}

function oneBranch(which: string): Finding {
  return {
    code: 'one-branch-fits',
    severity: 'warning',
    message: `of an If whose condition is an input, only the ${which} branch fits the sizes of the inputs: the .tflite model always takes it`,
  }
}

/** Whether anything became a constant, or a decided branch or a counted loop part of the graph. */
async function computeKnown(
  model: OnnxModel,
  graph: OnnxGraph,
  types: ValueTypes,
): Promise<boolean> {
  castsLikeAsCasts(graph.node, types)
  const sizes = foldSizes(graph.node, types)
  graph.initializer.push(...sizes.constants)
  graph.node = graph.node.filter((node) => !sizes.nodes.has(node))
  const folded = await foldConstants(model, { expandStored: true, types, unfold: true })
  const decided =
    inlineBranches(graph, 'decided') + unrollLoops(graph, types) + scansAsLoops(graph, types)
  return sizes.nodes.size + folded.nodes + decided > 0
}

/** CastLike asks a value for its type alone: what it casts may well be a constant. */
function castsLikeAsCasts(nodes: readonly OnnxNode[], types: ValueTypes): void {
  for (const node of nodes) {
    const type = types.get(node.output[0] ?? '')?.type
    if (node.opType !== 'CastLike' || node.domain !== '' || !type) continue
    const { code } = DATA_TYPES[type as keyof typeof DATA_TYPES] ?? {}
    if (code === undefined) continue
    node.opType = 'Cast'
    node.input = node.input.slice(0, 1)
    node.attribute = [newAttribute('to', 'int', code)]
  }
}

/** Shape and Size of values whose sizes are known. */
function foldSizes(nodes: readonly OnnxNode[], types: ValueTypes) {
  const found = new Set<OnnxNode>()
  const constants = nodes.flatMap((node) => {
    if (node.domain !== '' || (node.opType !== 'Shape' && node.opType !== 'Size')) return []
    const shape = types.get(node.input[0] ?? '')?.shape
    if (!shape || shape.some((dim) => dim < 0)) return []
    found.add(node)
    const [name = ''] = node.output
    if (node.opType === 'Size') {
      return [
        newTensor(name, 'int64', [], BigInt64Array.of(BigInt(shape.reduce((a, b) => a * b, 1)))),
      ]
    }
    const [start, end] = [intOf(node, 'start', 0), intOf(node, 'end', shape.length)]
    const taken = shape.slice(start, end)
    return [newTensor(name, 'int64', [taken.length], BigInt64Array.from(taken, BigInt))]
  })
  return { nodes: found, constants }
}
