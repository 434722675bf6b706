import type { OnnxModel, OnnxNode } from '../../onnx/index.ts'
import { DATA_TYPES, newAttribute, newTensor } from '../../onnx/index.ts'
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
import { PATTERNS } from './patterns.ts'

/** Shapes follow from shapes that were just computed: reached after a few rounds by every exporter's chain. */
const MOST_ROUNDS = 12

/**
 * Brings a model with closed inputs into the form that lowerings know: as for quantization, sizes computed beforehand,
 * chains that are one kernel said as one. Changes `model`.
 * @throws OnnxError
 */
export async function prepareSource(model: OnnxModel): Promise<ValueTypes> {
  let { types } = await prepareModel(model, {
    forIntegers: false,
    expandStored: true,
    widenHalves: true,
  })
  const { graph } = model
  if (graph === undefined) return types
  castsLikeAsCasts(graph.node, types)
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const sizes = foldSizes(graph.node, types)
    graph.initializer.push(...sizes.constants)
    graph.node = graph.node.filter((node) => !sizes.nodes.has(node))
    const folded = await foldConstants(model, { expandStored: true, types, unfold: true })
    if (sizes.nodes.size === 0 && folded.nodes === 0) break
    sweep(graph)
    types = await inferValues(model)
  }
  const applied = applyRules(new GraphEditor(graph, types), PATTERNS)
  sweep(graph)
  return applied.size === 0 ? types : await inferValues(model)
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
