import type { Finding } from '../../../../shared/findings.ts'
import type { OnnxGraph, OnnxModel, OnnxNode } from '../../onnx/index.ts'
import {
  DATA_TYPES,
  newAttribute,
  newTensor,
  OnnxError,
  readOnnx,
  writeOnnx,
} from '../../onnx/index.ts'
import {
  applyRules,
  foldConstants,
  GraphEditor,
  inferValues,
  intOf,
  prepareModel,
  sweep,
  type ValueTypes,
} from '../../onnx/source.ts'
import { inlineBranches } from './inline-branches.ts'
import { PATTERNS } from './patterns.ts'

/** Shapes follow from shapes that were just computed: reached after a few rounds by every exporter's chain. */
const MOST_ROUNDS = 12

/**
 * Brings a model with closed inputs into the form that lowerings know: as for quantization, sizes computed beforehand,
 * chains that are one kernel said as one. Changes `model`.
 * @throws OnnxError
 */
export async function prepareSource(model: OnnxModel): Promise<Prepared> {
  let { types } = await prepareModel(model, {
    forIntegers: false,
    expandStored: true,
    widenHalves: true,
  })
  const { graph } = model
  if (graph === undefined) return { types, findings: [] }
  const findings: Finding[] = []
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (await computeKnown(model, graph, types)) {
      sweep(graph)
      types = await inferValues(model)
      continue
    }
    const taken = await takeBranches(model, graph)
    if (taken === null) break
    types = taken.types
    findings.push(...taken.findings)
  }
  // Names and types of results stay, so that nothing is to be inferred anew.
  applyRules(new GraphEditor(graph, types), PATTERNS)
  sweep(graph)
  return { types, findings }
}

export interface Prepared {
  readonly types: ValueTypes
  readonly findings: readonly Finding[]
}

/**
 * Branches become part of the graph: both, with a choice between their results; where the sizes of the inputs fit only one
 * of them, that one, as the other could not run. Null where there are none.
 */
async function takeBranches(model: OnnxModel, graph: OnnxGraph): Promise<Prepared | null> {
  const before = writeOnnx(model)
  if (inlineBranches(graph, 'both') === 0) return null
  for (const which of ['both', 'then', 'else'] as const) {
    if (which !== 'both') {
      Object.assign(graph, readOnnx(before).graph)
      inlineBranches(graph, which)
    }
    try {
      sweep(graph)
      return {
        types: await inferValues(model),
        findings: which === 'both' ? [] : [oneBranch(which)],
      }
    } catch (error) {
      if (!(error instanceof OnnxError) || which === 'else') throw error
    }
  }
  return null
}

function oneBranch(which: string): Finding {
  return {
    code: 'one-branch-fits',
    severity: 'warning',
    message: `of an If whose condition is an input, only the ${which} branch fits the sizes of the inputs: the .tflite model always takes it`,
  }
}

/** Whether anything became a constant, or a decided branch part of the graph. */
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
  const decided = inlineBranches(graph, 'decided')
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
