import type { TensorInfo } from '../../../shared/runtime/index.ts'
import { ARRAY_OF, type ElementType } from '../../../shared/tensors.ts'
import type { Entry, Graph, GraphSubgraph, TensorId } from '../../graph/index.ts'
import { TfliteError } from './errors.ts'
import type { TflModel } from './model.ts'
import type { Numbering } from './numbering.ts'

/**
 * The ways into a model: every subgraph that callers run. Inputs carry the names of its signature, or of
 * their tensors where it has none; a name that occurs twice gets `#2`, as in shared/runtime.
 */
export function entriesOf(model: TflModel, graph: Graph, numbering: Numbering): Entry[] {
  return graph.subgraphs
    .filter((subgraph) => subgraph.entry)
    .map((subgraph) => entryOf(model, graph, subgraph, numbering))
}

function entryOf(
  model: TflModel,
  graph: Graph,
  subgraph: GraphSubgraph,
  numbering: Numbering,
): Entry {
  const signature = model.signatureDefs.find(({ subgraphIndex }) => subgraphIndex === subgraph.id)
  const names = new Map(
    signature?.inputs.map(({ name, tensorIndex }) => [
      numbering.tensorId(subgraph.id, tensorIndex),
      name,
    ]),
  )
  const seen = new Map<string, number>()
  const inputs = subgraph.inputs.map((id) => {
    const info = inputInfo(graph, id, names.get(id))
    const count = (seen.get(info.name) ?? 0) + 1
    seen.set(info.name, count)
    return count === 1 ? info : { ...info, name: `${info.name}#${count}` }
  })
  return { subgraph: subgraph.id, inputs, tensors: subgraph.inputs }
}

function inputInfo(
  graph: Graph,
  id: TensorId,
  signatureName: string | null | undefined,
): TensorInfo {
  const tensor = graph.tensors[id]
  const name = signatureName ?? tensor?.name ?? ''
  const type = tensor?.type ?? ''
  if (!isElementType(type)) {
    throw new TfliteError(
      'unwritable',
      { file: 'model', place: `input "${name}"` },
      `takes ${type}, which no data file can hold: use a model with numeric inputs`,
    )
  }
  const [scale] = tensor?.quantization?.scales ?? []
  const zeroPoint = tensor?.quantization?.zeroPoints[0] ?? 0
  const shape = tensor?.shape ?? []
  return scale === undefined
    ? { name, type, shape }
    : { name, type, shape, quantization: { scale, zeroPoint } }
}

function isElementType(type: string): type is ElementType {
  return type in ARRAY_OF
}
