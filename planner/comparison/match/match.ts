import type { GraphOperator, OperatorId, OperatorKind, TensorId } from '../../graph/index.ts'
import type { OpenedModel } from '../opened-model.ts'
import { computingOperators, isConversion, originOf, sameShape } from './activations.ts'
import { pairEnds } from './ends.ts'

/** What of a quantized model stands for what of the float one. */
export interface Match {
  /** Float tensor → the tensor that holds its numbers, before any conversion of them. Inputs come first. */
  readonly tensors: ReadonlyMap<TensorId, TensorId>
  readonly operators: ReadonlyMap<OperatorId, OperatorId>
  /** Float tensor → quantized tensor of the models' outputs, as callers get them. */
  readonly outputs: ReadonlyMap<TensorId, TensorId>
  /** Activations of the float model without a counterpart. */
  readonly unmatched: readonly TensorId[]
}

/** Kinds that quantizers write for one another. */
const ALIKE: readonly ReadonlySet<OperatorKind>[] = [new Set(['average-pool', 'mean'])]

/**
 * Pairs the operators of two models: by the name of an output where it is unique and the shape agrees, else by
 * kind, shape and the operators before, looking through QUANTIZE and DEQUANTIZE, which may sit anywhere.
 * @throws ComparisonError `models-differ` when inputs or outputs do not correspond
 */
export function matchModels(float: OpenedModel, quantized: OpenedModel): Match {
  const { inputs, outputs } = pairEnds(float, quantized)
  const pairing = new Pairing(float, quantized, inputs)
  for (const operator of computingOperators(float.graph, float.entry.subgraph)) {
    const other = pairing.byName(operator) ?? pairing.byPlace(operator)
    if (other !== undefined) pairing.pair(operator, other)
  }
  return { ...pairing.result(), outputs }
}

class Pairing {
  readonly #float: OpenedModel
  readonly #quantized: OpenedModel
  readonly #tensors: Map<TensorId, TensorId>
  readonly #operators = new Map<OperatorId, OperatorId>()
  readonly #unmatched: TensorId[] = []
  /** Of the quantized model, in order of execution, those not yet taken. */
  readonly #free: Set<GraphOperator>
  readonly #named: ReadonlyMap<string, GraphOperator>
  readonly #names: ReadonlyMap<string, number>

  constructor(float: OpenedModel, quantized: OpenedModel, inputs: ReadonlyMap<TensorId, TensorId>) {
    this.#float = float
    this.#quantized = quantized
    this.#tensors = new Map(inputs)
    this.#free = new Set(computingOperators(quantized.graph, quantized.entry.subgraph))
    this.#named = operatorsByName(quantized)
    this.#names = countNames(float)
  }

  byName(operator: GraphOperator): GraphOperator | undefined {
    const { graph } = this.#float
    for (const output of operator.outputs) {
      const name = graph.tensors[output]?.name ?? ''
      const other = this.#names.get(name) === 1 ? this.#named.get(name) : undefined
      if (other !== undefined && this.#free.has(other) && this.#sameOutputs(operator, other)) {
        return other
      }
    }
    return undefined
  }

  byPlace(operator: GraphOperator): GraphOperator | undefined {
    const sources = sourcesOf(this.#float, operator).map((source) => this.#tensors.get(source))
    if (sources.length === 0 || sources.includes(undefined)) return undefined
    for (const other of this.#free) {
      if (!alike(operator.kind, other.kind) || !this.#sameOutputs(operator, other)) continue
      const theirs = sourcesOf(this.#quantized, other)
      const same = theirs.length === sources.length && theirs.every((id, i) => id === sources[i])
      if (same) return other
    }
    return undefined
  }

  pair(operator: GraphOperator, other: GraphOperator): void {
    this.#free.delete(other)
    this.#operators.set(operator.id, other.id)
    operator.outputs.forEach((output, i) => {
      this.#tensors.set(output, other.outputs[i] as TensorId)
    })
  }

  result(): Omit<Match, 'outputs'> {
    for (const { outputs } of computingOperators(this.#float.graph, this.#float.entry.subgraph)) {
      this.#unmatched.push(...outputs.filter((output) => !this.#tensors.has(output)))
    }
    return { tensors: this.#tensors, operators: this.#operators, unmatched: this.#unmatched }
  }

  #sameOutputs(operator: GraphOperator, other: GraphOperator): boolean {
    const ours = this.#float.graph.tensors
    const theirs = this.#quantized.graph.tensors
    return (
      operator.outputs.length === other.outputs.length &&
      operator.outputs.every((output, i) =>
        sameShape(ours[output], theirs[other.outputs[i] as TensorId]),
      )
    )
  }
}

function alike(a: OperatorKind, b: OperatorKind): boolean {
  return a === b || ALIKE.some((kinds) => kinds.has(a) && kinds.has(b))
}

/** Origins of the data an operator reads; constants are its own affair. */
function sourcesOf({ graph, links }: OpenedModel, operator: GraphOperator): TensorId[] {
  return operator.inputs.flatMap(({ tensor }) => {
    if (tensor === null) return []
    const origin = originOf(graph, links, tensor)
    return graph.tensors[origin]?.constant === null ? origin : []
  })
}

/** Who computed the numbers under a name; conversions may have taken the name along. */
function operatorsByName(model: OpenedModel): Map<string, GraphOperator> {
  const { graph, links, entry } = model
  const names = countNames(model)
  const found = new Map<string, GraphOperator>()
  for (const tensor of graph.tensors) {
    if (tensor.subgraph !== entry.subgraph || names.get(tensor.name) !== 1) continue
    const producer = graph.operators[links.producers[originOf(graph, links, tensor.id)] ?? -1]
    if (producer !== undefined && !isConversion(producer)) found.set(tensor.name, producer)
  }
  return found
}

function countNames({ graph, entry }: OpenedModel): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { name, subgraph } of graph.tensors) {
    if (subgraph === entry.subgraph) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}
