import type { Graph, GraphTensor, Instrumented, SubgraphId, TensorId } from '../../graph/index.ts'
import { linksOf } from '../../graph/index.ts'
import { writeTflite } from './codec/write.ts'
import {
  type Draft,
  type DraftOperator,
  type DraftSubgraph,
  type DraftTensor,
  draftOf,
} from './draft.ts'
import { finishDraft } from './finish-draft.ts'
import type { TflModel } from './model.ts'

/**
 * A copy of `model` whose entry `subgraph` gives out all computed float tensors, or those of `asked`.
 * Signatures go, because LiteRT gives out only what they name; another entry than the first takes its place.
 */
export function instrument(
  model: TflModel,
  graph: Graph,
  subgraph: SubgraphId,
  asked?: readonly TensorId[],
): Instrumented {
  const { producers } = linksOf(graph)
  const wanted = new Set(asked ?? graph.tensors.filter(isFloat).map(({ id }) => id))
  const inputs = graph.subgraphs[subgraph]?.inputs ?? []
  const closed = inputs.every((id) => !isOpen(graph.tensors[id]))
  const observed = graph.tensors.filter(
    (tensor) =>
      tensor.subgraph === subgraph &&
      wanted.has(tensor.id) &&
      producers[tensor.id] !== null &&
      // What nothing before the run says the size of, LiteRT has no room for.
      (asked !== undefined || !(closed && isOpen(tensor))),
  )
  const first = graph.tensors.findIndex((tensor) => tensor.subgraph === subgraph)
  const draft = draftOf(model)
  draft.signatures = []
  const home = draft.subgraphs[subgraph] as DraftSubgraph
  home.outputs = observed.flatMap((tensor) => home.tensors[tensor.id - first] ?? [])
  home.operators = neededFor(home)
  nameApart(home.outputs)
  bringForward(draft, subgraph)
  return { bytes: writeTflite(finishDraft(draft)), outputs: observed.map((tensor) => tensor.id) }
}

/**
 * What leads to the outputs. Operators behind them would be computed for nothing, and XNNPACK of TensorFlow Lite 2.9
 * writes what nobody reads to address 0.
 */
function neededFor({ operators, outputs }: DraftSubgraph): DraftOperator[] {
  const needed = new Set<DraftTensor | null>(outputs)
  const kept: DraftOperator[] = []
  for (const operator of operators.toReversed()) {
    if (!hasEffect(operator) && !operator.outputs.some((tensor) => needed.has(tensor))) continue
    kept.push(operator)
    for (const tensor of operator.inputs) needed.add(tensor)
  }
  return kept.reverse()
}

/** Run subgraphs, which may write variables. */
const CALLING = new Set(['IF', 'WHILE', 'CALL', 'CALL_ONCE'])

function hasEffect({ outputs, code }: DraftOperator): boolean {
  return outputs.length === 0 || CALLING.has(code.builtinCode)
}

/** LiteRT finds outputs by name, and files may give one to several tensors. */
function nameApart(outputs: readonly DraftTensor[]): void {
  const taken = new Set<string>()
  for (const tensor of outputs) {
    const own = tensor.fields.name ?? ''
    let name = own
    for (let n = 2; taken.has(name); n += 1) name = `${own}#${n}`
    taken.add(name)
    if (name !== own) tensor.fields = { ...tensor.fields, name }
  }
}

function isOpen(tensor: GraphTensor | undefined): boolean {
  return tensor?.shape?.some((dim) => dim < 0) ?? false
}

function isFloat(tensor: GraphTensor): boolean {
  return tensor.type === 'float32'
}

/** Runtimes enter a model without signatures by its first subgraph; two entries may change places, for no operator names them. */
function bringForward(draft: Draft, subgraph: SubgraphId): void {
  const { subgraphs } = draft
  const [first, entry] = [subgraphs[0], subgraphs[subgraph]]
  if (first === undefined || entry === undefined) return
  subgraphs[0] = entry
  subgraphs[subgraph] = first
}
