import type {
  Graph,
  GraphOperator,
  Instruction,
  OperatorId,
  TensorId,
} from '../../../graph/index.ts'
import { FLOAT32, linksOf, sliceAt } from '../../../graph/index.ts'
import type { ChannelStatistics } from '../../observers/statistics.ts'
import type { Candidate, Services } from '../candidate.ts'
import { inputAt, type Matrix, matrixOf } from './coupling.ts'
import { type Pair, pairsOf } from './pairs.ts'
import { chooseScales } from './scales.ts'

/** Where nobody asked, running the samples again must promise this: less than half of some pair's noise remains. */
const STRIKING = 0.5

/**
 * Cross-layer equalization (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
 * Correction", 2019): channels between two products are scaled so that one scale fits them all better, and the
 * weights around them take it back. The same model in float; null where no pair of products gains clearly.
 */
export async function equalize(
  candidate: Candidate,
  services: Services,
): Promise<Candidate | null> {
  const { model, request } = candidate
  const numbers = new Numbers(candidate)
  const changed = pairsOf(request.graph, linksOf(request.graph)).flatMap((pair) => {
    const remaining = equalizePair(pair, numbers, candidate)
    return remaining === null ? [] : { pair, remaining }
  })
  const enough = services.thorough ? 1 : STRIKING
  if (!changed.some(({ remaining }) => remaining < enough)) return null
  const total = request.graph.operators.length
  const operators = { total, integer: 0, float: total }
  const bytes = model.perform({ instructions: numbers.stores(), findings: [], operators })
  const pairs = changed.map(({ pair }) => pair)
  return await remeasured(candidate, await services.open(bytes), pairs, services)
}

/** The changed model has other ranges between the pairs, and the same everywhere else. */
async function remeasured(
  { statistics, request }: Candidate,
  model: Candidate['model'],
  changed: readonly Pair[],
  services: Services,
): Promise<Candidate> {
  const places = newPlaces(request.graph, model.graph)
  const placed = statistics.flatMap((one) => {
    const tensor = places.get(one.tensor)
    return tensor === undefined ? [] : [{ ...one, tensor }]
  })
  const moved = new Set(changed.flatMap(({ tensors }) => tensors.map((id) => places.get(id))))
  const only = placed.flatMap(({ tensor }) => (moved.has(tensor) ? tensor : []))
  const seen = await services.observe(model, { only })
  const merged = [...placed.filter(({ tensor }) => !moved.has(tensor)), ...seen]
  const { ranges, unusable, unbounded } = services.chooseRanges(merged, model)
  const { graph } = model
  const next = { ...request, graph, links: linksOf(graph), ranges, unusable, unbounded }
  return { model, statistics: merged, request: next, plan: services.plan(next) }
}

/** Operators keep their places in a model with other constants; tensors do not. */
function newPlaces(before: Graph, after: Graph): ReadonlyMap<TensorId, TensorId> {
  const places = new Map<TensorId, TensorId>()
  const pair = (from: TensorId | null | undefined, to: TensorId | null | undefined) => {
    if (typeof from === 'number' && typeof to === 'number') places.set(from, to)
  }
  before.operators.forEach(({ id, inputs, outputs }) => {
    const twin = after.operators[id]
    inputs.forEach(({ tensor }, position) => {
      pair(tensor, twin?.inputs[position]?.tensor)
    })
    outputs.forEach((tensor, position) => {
      pair(tensor, twin?.outputs[position])
    })
  })
  return places
}

/** The share of its noise that remains; null where it stays as it is. */
function equalizePair(
  pair: Pair,
  numbers: Numbers,
  { statistics, request }: Candidate,
): number | null {
  const { first, second, between, ceiling } = pair
  const channelsOf = (tensor: TensorId | null) =>
    statistics.find((one) => one.tensor === tensor)?.channels ?? null
  const channels = channelsOf(between)
  const matrix = numbers.matrix(first)
  if (channels === null || matrix.outputs.count !== channels.max.length) return null
  const perTensor = (operator: GraphOperator) =>
    operator.kind === 'fully-connected' && !request.forms.perChannelFullyConnected
  const input = first.inputs.find(({ role }) => role === 'activation')?.tensor ?? null
  const chosen = chooseScales({
    firstPeaks: peaksOf(matrix),
    second: numbers.matrix(second),
    taps: (second.window ?? []).reduce((taps, axis) => taps * axis.taps, 1),
    channels,
    ceiling,
    perTensor: { first: perTensor(first), second: perTensor(second) },
    inputEnergy: energyRead(channelsOf(input), matrix),
  })
  if (chosen === null) return null
  numbers.scaleOutputs(first, chosen.scales)
  numbers.scaleInputs(second, chosen.scales)
  return chosen.remaining
}

/** Largest magnitude of each output channel. */
function peaksOf({ values, outputs }: Matrix): Float64Array {
  const peaks = new Float64Array(outputs.count)
  values.forEach((value, i) => {
    const channel = sliceAt(outputs, i)
    peaks[channel] = Math.max(peaks[channel] as number, Math.abs(value))
  })
  return peaks
}

function energyRead(channels: ChannelStatistics | null, { values, outputs }: Matrix): number {
  if (channels === null) return 0
  const { squares } = channels
  const mean = squares.reduce((sum, square) => sum + square, 0) / squares.length
  return (mean * values.length) / outputs.count
}

/** Weights and biases as they change, pair after pair. */
class Numbers {
  readonly #candidate: Candidate
  readonly #weights = new Map<OperatorId, Float32Array>()
  readonly #biases = new Map<OperatorId, Float32Array>()

  constructor(candidate: Candidate) {
    this.#candidate = candidate
  }

  matrix(operator: GraphOperator): Matrix {
    const values = this.#weights.get(operator.id) ?? this.#read(operator, 'weight')
    return matrixOf(operator, values ?? new Float32Array(0), this.#candidate.request.graph)
  }

  scaleOutputs(operator: GraphOperator, scales: Float64Array): void {
    const { values, outputs } = this.matrix(operator)
    const scaleAt = (i: number) => scales[sliceAt(outputs, i)] as number
    this.#weights.set(
      operator.id,
      values.map((value, i) => value / scaleAt(i)),
    )
    const bias = this.#biases.get(operator.id) ?? this.#read(operator, 'bias')
    if (bias === null) return
    this.#biases.set(
      operator.id,
      bias.map((value, i) => value / (scales[i] as number)),
    )
  }

  scaleInputs(operator: GraphOperator, scales: Float64Array): void {
    const matrix = this.matrix(operator)
    const scaleAt = (i: number) => scales[inputAt(matrix, i, scales.length)] as number
    this.#weights.set(
      operator.id,
      matrix.values.map((value, i) => value * scaleAt(i)),
    )
  }

  stores(): Instruction[] {
    return [
      ...[...this.#weights].map(([operator, values]) => this.#store(operator, 'weight', values)),
      ...[...this.#biases].map(([operator, values]) => this.#store(operator, 'bias', values)),
    ]
  }

  #store(id: OperatorId, role: 'weight' | 'bias', values: Float32Array): Instruction {
    const operator = this.#candidate.request.graph.operators[id] as GraphOperator
    const position = operator.inputs.findIndex((input) => input.role === role)
    const tensor = operator.inputs[position]?.tensor as TensorId
    const uses = [{ kind: 'input', operator: id, position } as const]
    return { verb: 'store-constant', tensor, form: FLOAT32, uses, values }
  }

  #read(operator: GraphOperator, role: 'weight' | 'bias'): Float32Array | null {
    const tensor = operator.inputs.find((input) => input.role === role)?.tensor ?? null
    return this.#candidate.request.graph.tensors[tensor ?? -1]?.constant?.read() ?? null
  }
}
