import type { GraphTensor, OperatorId } from '../../graph/index.ts'
import { elementsOf, usesOf } from '../../graph/index.ts'
import type { BorderPrice, KernelCosts } from '../../targets/index.ts'
import { DisjointSets } from '../plan/static/disjoint-sets.ts'
import type { Candidate } from '../recovery/candidate.ts'
import { FlowNetwork } from './minimum-cut.ts'

/** A model, and which of its operators a plan computes on integers: the ones that may go back to float. */
export type Mixable = Pick<Candidate['request'], 'graph' | 'links' | 'facts'> & {
  readonly integer: ReadonlySet<OperatorId>
}

/** Operators to leave in float. */
export interface Proposal {
  readonly float: ReadonlySet<OperatorId>
  /** What the costs say it takes, µs. */
  readonly expectedUs: number
}

/** Borders are the part that is guessed: cheaper and dearer ones give other mixed forms. */
const BORDERS_TIMES = [1, 2, 0.5, 4, 0.25, 0] as const

/** Each is built and measured. */
const MOST_PROPOSALS = 4
/** Costs are no more exact than this: what seems worse than float or integers alone may still win. */
const PROMISING = 1.1

/**
 * The mixed forms that cost least: every operator is float or integer, each border between the two has a price, and the
 * best choice is a minimum cut. Neither all integer nor all float is among them. Pure.
 */
export function proposals(model: Mixable, costs: KernelCosts): readonly Proposal[] {
  const found = new Map<string, Proposal>()
  for (const times of BORDERS_TIMES) {
    const { us, usPerElement } = costs.border
    const border = { us: times * us, usPerElement: times * usPerElement }
    const float = cheapest(model, { ...costs, border })
    if (float.size === 0 || float.size === model.integer.size) continue
    const key = [...float].sort((a, b) => a - b).join()
    if (!found.has(key)) found.set(key, { float, expectedUs: expected(model, costs, float) })
  }
  const pure = [new Set<OperatorId>(), model.integer].map((one) => expected(model, costs, one))
  return [...found.values()]
    .filter(({ expectedUs }) => expectedUs <= PROMISING * Math.min(...pure))
    .sort((a, b) => a.expectedUs - b.expectedUs)
    .slice(0, MOST_PROPOSALS)
}

const [SOURCE, SINK] = [-1, -2] as const

function cheapest(model: Mixable, costs: KernelCosts): Set<OperatorId> {
  const { graph, integer } = model
  const network = new FlowNetwork()
  const together = fusedInFloat(model, costs)
  const place = (id: OperatorId) => together.find(id)
  for (const { id } of graph.operators) {
    if (!integer.has(id)) network.pipe(SOURCE, place(id), Number.POSITIVE_INFINITY)
    else {
      network.pipe(SOURCE, place(id), costs.integer.get(id) ?? 0)
      network.pipe(place(id), SINK, costs.float.get(id) ?? 0)
    }
  }
  let next = graph.operators.length
  for (const { maker, readers, elements } of crossings(model)) {
    const from = maker === null ? SOURCE : place(maker)
    const to = readers.map((reader) => (reader === null ? SOURCE : place(reader)))
    const price = priceOf(costs.border, elements)
    const [quantized, dequantized] = [next, next + 1]
    next += 2
    // Paid once, however many readers stand on the other side.
    network.pipe(from, quantized, price)
    network.pipe(dequantized, from, price)
    for (const reader of to) {
      network.pipe(quantized, reader, Number.POSITIVE_INFINITY)
      network.pipe(reader, dequantized, Number.POSITIVE_INFINITY)
    }
  }
  const side = network.sourceSide(SOURCE, SINK)
  return new Set([...integer].filter((id) => side.has(place(id))))
}

/** An operator whose time in float shows with another's was done by one kernel with it: both go one way. */
function fusedInFloat({ graph, links, integer }: Mixable, costs: KernelCosts): DisjointSets {
  const sets = new DisjointSets()
  for (const { id, inputs } of graph.operators) {
    if (!integer.has(id) || costs.float.has(id) || !costs.integer.has(id)) continue
    const makers = inputs.flatMap(({ tensor, role }) =>
      role === 'activation' && tensor !== null ? (links.producers[tensor] ?? []) : [],
    )
    const timed = makers.filter((maker) => integer.has(maker) && costs.float.has(maker))
    const slowest = timed.sort((a, b) => (costs.float.get(b) ?? 0) - (costs.float.get(a) ?? 0))[0]
    if (slowest !== undefined) sets.union(slowest, id)
  }
  return sets
}

interface Crossing {
  /** Null: the caller, who hands over float32. */
  readonly maker: OperatorId | null
  /** Null: the caller. */
  readonly readers: readonly (OperatorId | null)[]
  readonly elements: number
}

function crossings({ graph, links, facts, integer }: Mixable): Crossing[] {
  return graph.tensors.filter(isActivation).flatMap(({ id }) => {
    const maker = links.producers[id] ?? null
    const uses = usesOf(links, id)
    const kind = graph.operators[maker ?? -1]?.kind
    // Such a kernel gives out float32 by itself.
    const free = maker !== null && integer.has(maker) && kind && facts[kind].floatResult === true
    const readers = uses.flatMap((use) =>
      use.kind === 'input' ? [use.operator] : free ? [] : [null],
    )
    return readers.length === 0 ? [] : [{ maker, readers, elements: elementsOf(id, graph) }]
  })
}

function isActivation({ type, constant }: GraphTensor): boolean {
  return type === 'float32' && constant === null
}

function priceOf({ us, usPerElement }: BorderPrice, elements: number): number {
  return us + usPerElement * elements
}

function expected(model: Mixable, costs: KernelCosts, float: ReadonlySet<OperatorId>): number {
  const inFloat = (id: OperatorId | null) => id === null || float.has(id) || !model.integer.has(id)
  const work = model.graph.operators.reduce((sum, { id }) => {
    const times = inFloat(id) ? costs.float : costs.integer
    return sum + (times.get(id) ?? 0)
  }, 0)
  const borders = crossings(model).filter(({ maker, readers }) =>
    readers.some((reader) => inFloat(reader) !== inFloat(maker)),
  )
  return borders.reduce((sum, { elements }) => sum + priceOf(costs.border, elements), work)
}
