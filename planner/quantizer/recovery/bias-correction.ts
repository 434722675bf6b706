import type { Form, Graph, GraphOperator, OperatorId, Plan, TensorId } from '../../graph/index.ts'
import { codesOfConstant, decode } from '../../graph/index.ts'
import type { PlanRequest, Revision } from '../plan/request.ts'
import { meanShift, type Product, type Rounded } from './mean-shift.ts'

/** Mean of every channel of an activation, over calibration data and positions. */
export type ChannelMeans = ReadonlyMap<TensorId, Float64Array>

/**
 * Biases that take back what rounding the weights does to the mean of each output channel:
 * b += Σ (w − ŵ) · E[x]. (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
 * Correction", 2019, §4.2, with measured means.) Taps that lie on padding see zeros, and count less.
 */
export function correctBiases(
  plan: Plan,
  request: PlanRequest,
  means: ChannelMeans,
): Map<OperatorId, Revision> {
  const revisions = new Map<OperatorId, Revision>()
  const room = new Room()
  for (const { operator, form } of storedWeights(plan, request)) {
    const product = productOf(operator, form, request, means, room)
    if (product === null) continue
    const revision = request.revisions.get(operator.id)
    const bias = revision?.bias ?? biasOf(operator, request, product.channels)
    const shift = meanShift(product)
    revisions.set(operator.id, {
      ...revision,
      bias: bias.map((value, channel) => value + (shift[channel] as number)),
    })
  }
  return revisions
}

/** Memory for the numbers of one weight after the other: new memory for each would be garbage of all their size. */
class Room {
  #numbers = new Float32Array(0)

  for(length: number): Float32Array {
    if (this.#numbers.length < length) this.#numbers = new Float32Array(length)
    return this.#numbers.subarray(0, length)
  }
}

/**
 * What each output channel's mean loses when an operator computes with `rounded` in the place of `values`:
 * Σ (w − ŵ) · E[x]; null where the means of its input are not known, or the operator is no plain product.
 */
export function lostMeans(
  operator: GraphOperator,
  values: Float32Array,
  rounded: Float32Array,
  graph: Graph,
  means: ChannelMeans,
): Float64Array | null {
  const product = productWith(operator, values, () => inFull(rounded), graph, means)
  return product === null ? null : meanShift(product)
}

export interface StoredWeight {
  readonly operator: GraphOperator
  readonly form: Form
}

/** Weights that a plan writes in another form, with the products that read them. */
export function storedWeights(plan: Plan, { graph }: PlanRequest): StoredWeight[] {
  return plan.instructions.flatMap((instruction) => {
    if (instruction.verb !== 'store-constant') return []
    const { form, uses } = instruction
    return uses.flatMap((use) => {
      const operator = use.kind === 'input' ? graph.operators[use.operator] : undefined
      const weight = use.kind === 'input' && operator?.inputs[use.position]?.role === 'weight'
      return operator !== undefined && weight ? { operator, form } : []
    })
  })
}

function productOf(
  operator: GraphOperator,
  form: Form,
  { graph, revisions }: PlanRequest,
  means: ChannelMeans,
  room: Room,
): Product | null {
  const input = operator.inputs.find(({ role }) => role === 'weight')
  const constant = graph.tensors[input?.tensor ?? -1]?.constant ?? null
  const values = constant?.read() ?? null
  if (constant === null || values === null) return null
  const chosen = revisions.get(operator.id)?.weight
  const round = (shape: readonly number[]): Rounded =>
    chosen === undefined && 'parameters' in form && form.type === 'int8'
      ? { numbers: codesOfConstant(constant, values, shape, form), scales: form.parameters.scales }
      : inFull(decode(chosen ?? values, shape, form, room.for(values.length)))
  return productWith(operator, values, round, graph, means)
}

function inFull(numbers: Float32Array): Rounded {
  return { numbers, scales: null }
}

function productWith(
  operator: GraphOperator,
  values: Float32Array,
  round: (shape: readonly number[]) => Rounded,
  graph: Graph,
  means: ChannelMeans,
): Product | null {
  const input = operator.inputs.find(({ role }) => role === 'weight')
  const source = operator.inputs.find(({ role }) => role === 'activation')?.tensor ?? null
  const weight = graph.tensors[input?.tensor ?? -1]
  const channelMeans = source === null ? undefined : means.get(source)
  if (input === undefined || weight === undefined || channelMeans === undefined) return null
  if (operator.window === null || input.channelAxis === null) return null
  const shape = weight.shape ?? []
  const channels = shape[input.channelAxis] ?? 0
  const { window } = operator
  return { shape, input, window, values, rounded: round(shape), channels, means: channelMeans }
}

/** Of the file; zeros where it has none. */
export function biasOf(
  operator: GraphOperator,
  { graph }: PlanRequest,
  channels: number,
): Float32Array {
  const tensor = operator.inputs.find(({ role }) => role === 'bias')?.tensor ?? null
  const values = tensor === null ? null : graph.tensors[tensor]?.constant?.read()
  return values ?? new Float32Array(channels)
}
