import type { OnnxNode } from '../../../onnx/index.ts'
import type { DraftSubgraph, DraftTensor } from '../../draft.ts'
import { cast, concat, pointwise, shapeOf } from '../emit.ts'
import { type GraphBuilder, reshape } from '../graph-builder.ts'
import { type Lowering, type LoweringRow, output, row } from '../lowering.ts'
import { settleSubgraph } from '../settle-subgraph.ts'
import type { LoopBody } from '../source/source-graph.ts'

type LowerNodes = (graph: GraphBuilder, nodes: readonly OnnxNode[]) => void

/** A Loop as WHILE: whatever its condition or its body reads travels from turn to turn, as neither sees anything else. */
export function loopRow(lowerNodes: LowerNodes): LoweringRow {
  const lower: Lowering = (node, graph) => {
    const body = graph.source.loopOf(node)
    const carried = carriedBy(node, graph, body)
    const starts = Object.values(carried).flat() as DraftTensor[]
    const place = node.output.find(Boolean) ?? 'loop'
    const [condSubgraphIndex, bodySubgraphIndex] = [
      addSubgraph(graph, conditionOf(graph.inner(body.source), carried, place)),
      addSubgraph(graph, turnOf(graph.inner(body.source), carried, { body, place, lowerNodes })),
    ]
    const results = Object.values(enter(graph, carried, place)).flat() as DraftTensor[]
    graph.operator('WHILE', starts, results, { condSubgraphIndex, bodySubgraphIndex })
    const given = like(carried, results)
    for (const [i, state] of given.states.entries()) giveOut(graph, output(node, i), state)
    for (const [i, { at }] of body.stacks.entries())
      giveOut(graph, output(node, at), given.stacks[i] as DraftTensor)
  }
  return row(lower)
}

function giveOut(graph: GraphBuilder, name: string, tensor: DraftTensor): void {
  if (name !== '') graph.give(name, 'source', tensor)
}

/** What travels, in this order. */
interface Carried {
  readonly turn: readonly [DraftTensor]
  /** None or one. */
  readonly limit: readonly DraftTensor[]
  readonly going: readonly DraftTensor[]
  readonly states: readonly DraftTensor[]
  readonly stacks: readonly DraftTensor[]
  readonly captured: readonly DraftTensor[]
}

/** As it is when the loop begins. */
function carriedBy({ input }: OnnxNode, graph: GraphBuilder, body: LoopBody): Carried {
  const [limit = '', given = '', ...states] = input
  const one = (name: string) => reshape(graph, graph.value(name), [])
  const going = () =>
    given === '' ? graph.constant('going', 'bool', [], Uint8Array.of(1)) : one(given)
  return {
    turn: [graph.scalar(0, 'int64')],
    limit: limit === '' ? [] : [one(limit)],
    going: body.condition === null ? [] : [going()],
    states: states.map((name) => graph.value(name)),
    stacks: body.stacks.map(({ turns, result }) => {
      const shape = [turns, ...body.source.shapeOf(result)]
      const zero = graph.scalar(0, body.source.typeOf(result))
      return graph.compute(
        'FILL',
        [graph.int32s('shape', shape), zero],
        shape,
        {},
        zero.fields.type,
      )
    }),
    captured: body.captured.map((name) => graph.value(name)),
  }
}

/** The same things under other tensors. */
function like(carried: Carried, tensors: readonly DraftTensor[]): Carried {
  let from = 0
  const parts = Object.entries(carried).map(([word, { length }]) => {
    from += length
    return [word, tensors.slice(from - length, from)]
  })
  return Object.fromEntries(parts) as Carried
}

/** New tensors, one for each thing that travels, under names that tell what it is. */
function enter(graph: GraphBuilder, carried: Carried, place: string): Carried {
  const entries = Object.entries(carried) as [string, readonly DraftTensor[]][]
  const tensors = entries.flatMap(([word, things]) =>
    things.map(({ fields }) => {
      const tensor = graph.fresh(fields.type, fields.shape as number[])
      tensor.fields.name = `${place}/${word}`
      return tensor
    }),
  )
  return like(carried, tensors)
}

interface Subgraph {
  readonly graph: GraphBuilder
  readonly inputs: Carried
  readonly outputs: readonly DraftTensor[]
  readonly name: string
}

function conditionOf(graph: GraphBuilder, carried: Carried, place: string): Subgraph {
  const inputs = enter(graph, carried, `${place}/condition`)
  const [going] = inputs.going
  const holds = inputs.limit.map((limit) =>
    pointwise(graph, 'LESS', [inputs.turn[0], limit], {}, 'BOOL'),
  )
  const [first = going, second = going ?? first] = holds
  const both = [first, second] as DraftTensor[]
  // An operator even where it is one of its inputs.
  const goesOn = first === second && first !== going ? first : pointwise(graph, 'LOGICAL_AND', both)
  return { graph, inputs, outputs: [goesOn as DraftTensor], name: `${place}/condition` }
}

interface Turn {
  readonly body: LoopBody
  readonly place: string
  readonly lowerNodes: LowerNodes
}

function turnOf(
  graph: GraphBuilder,
  carried: Carried,
  { body, place, lowerNodes }: Turn,
): Subgraph {
  const inputs = enter(graph, carried, `${place}/body`)
  const [turn] = inputs.turn
  const going = inputs.going[0] ?? graph.constant('going', 'bool', [], Uint8Array.of(1))
  const values = [turn, going, ...inputs.states, ...inputs.captured]
  for (const [i, name] of body.inputs.entries())
    graph.give(name, 'source', reshape(graph, values[i] as DraftTensor, body.source.shapeOf(name)))
  lowerNodes(graph, body.source.graph.node)
  const next: Carried = {
    ...inputs,
    turn: [pointwise(graph, 'ADD', [turn, graph.scalar(1, 'int64')], PLAIN)],
    going: body.condition === null ? [] : [reshape(graph, graph.value(body.condition), [])],
    states: body.states.map((name) => graph.value(name)),
    stacks: body.stacks.map(({ result }, i) =>
      put(graph, inputs.stacks[i] as DraftTensor, graph.value(result), turn),
    ),
  }
  return { graph, inputs, outputs: Object.values(next).flat(), name: `${place}/body` }
}

const PLAIN = { fusedActivationFunction: 'NONE' }

/** The stack with this layer at the place of this turn. */
function put(graph: GraphBuilder, stack: DraftTensor, layer: DraftTensor, turn: DraftTensor) {
  const at = reshape(graph, cast(graph, turn, 'INT32'), [1])
  const rest = shapeOf(layer).map(() => 0)
  const start = rest.length === 0 ? at : concat(graph, [at, graph.int32s('start', rest)], 0)
  const thick = reshape(graph, layer, [1, ...shapeOf(layer)])
  return graph.compute('DYNAMIC_UPDATE_SLICE', [stack, thick, start], shapeOf(stack))
}

/** @returns its number in the file */
function addSubgraph(around: GraphBuilder, { graph, inputs, outputs, name }: Subgraph): number {
  const entries = Object.values(inputs).flat() as DraftTensor[]
  const taken = new Set<DraftTensor>()
  // Who gives out one tensor twice, a constant, or an input in another's place, would have runtimes copy over what is read.
  const results = outputs.map((tensor, i) => {
    const isOwn = !taken.has(tensor) && tensor.data === null
    const keeps = isOwn && (!entries.includes(tensor) || entries[i] === tensor)
    taken.add(tensor)
    return keeps ? tensor : copied(graph, tensor)
  })
  for (const [i, tensor] of results.entries())
    if (!entries.includes(tensor) && !graph.named.has(tensor)) tensor.fields.name = `${name}/${i}`
  const subgraph: DraftSubgraph = {
    source: { name, tensors: [], inputs: [], outputs: [], operators: [] },
    tensors: graph.tensors,
    inputs: entries,
    outputs: results,
    operators: graph.operators,
  }
  settleSubgraph(subgraph, graph.named)
  return around.subgraphs.push(subgraph)
}

function copied(graph: GraphBuilder, from: DraftTensor): DraftTensor {
  const shape = shapeOf(from)
  if (shape.length === 0) return graph.compute('SQUEEZE', [from], [], { squeezeDims: [] })
  return graph.compute('RESHAPE', [from, graph.int32s('shape', shape)], shape, { newShape: shape })
}
