import { sqnrDb } from '../../../shared/measure/index.ts'
import type { GraphOperator, GraphTensor } from '../../graph/index.ts'
import { isConversion, originOf, sameShape } from '../match/activations.ts'
import type { Match } from '../match/match.ts'
import type { OpenedModel } from '../opened-model.ts'

/** Scales of a constant: one, or one per slice of an axis. */
export interface ScaleSpan {
  readonly count: number
  readonly min: number
  readonly max: number
  readonly axis: number | null
}

/** A constant that a layer computes with, in both models. */
export interface WeightComparison {
  /** The float model's operator, and its constant. */
  readonly layer: string
  readonly operator: string
  readonly tensor: string
  readonly role: 'weight' | 'bias' | 'constant'
  readonly elements: number
  /** How the quantized model stores it. */
  readonly type: string
  /** Null where it is stored as floats. */
  readonly scales: ScaleSpan | null
  readonly min: number
  readonly max: number
  /** Share of zeros that the quantized model holds. */
  readonly zeros: number
  readonly sqnrDb: number
}

/** Constants of matched operators whose numbers both files tell, in order of execution. */
export function compareWeights(
  float: OpenedModel,
  quantized: OpenedModel,
  match: Match,
): WeightComparison[] {
  return [...match.operators].flatMap(([ours, theirs]) => {
    const a = float.graph.operators[ours]
    const b = quantized.graph.operators[theirs]
    // Where the kinds differ, equal positions mean nothing.
    if (a === undefined || b === undefined || a.kind !== b.kind) return []
    return a.inputs.flatMap((input, position) => {
      const role = input.role === 'activation' ? 'constant' : input.role
      if (role === 'shape') return []
      const before = constantAt(float, a, position)
      const after = constantAt(quantized, b, position)
      if (before === null || after === null || !sameShape(before, after)) return []
      return compareConstants(a, role, before, after) ?? []
    })
  })
}

function constantAt(
  { graph, links }: OpenedModel,
  operator: GraphOperator,
  position: number,
): GraphTensor | null {
  const tensor = operator.inputs[position]?.tensor ?? null
  if (tensor === null) return null
  const producer = graph.operators[links.producers[tensor] ?? -1]
  const origin =
    producer !== undefined && isConversion(producer) ? originOf(graph, links, tensor) : tensor
  const found = graph.tensors[origin]
  return found?.constant ? found : null
}

function compareConstants(
  operator: GraphOperator,
  role: WeightComparison['role'],
  before: GraphTensor,
  after: GraphTensor,
): WeightComparison | null {
  const expected = before.constant?.read() ?? null
  const given = after.constant?.read() ?? null
  if (expected === null || given === null || expected.length !== given.length) return null
  const sums = { signal: 0, noise: 0, zeros: 0, min: 0, max: 0 }
  for (let i = 0; i < expected.length; i += 1) {
    const value = expected[i] as number
    const error = (given[i] as number) - value
    sums.signal += value * value
    sums.noise += error * error
    if (given[i] === 0) sums.zeros += 1
    if (i === 0 || value < sums.min) sums.min = value
    if (i === 0 || value > sums.max) sums.max = value
  }
  return {
    layer: operator.name,
    operator: operator.nativeKind,
    tensor: before.name,
    role,
    elements: expected.length,
    type: after.type,
    scales: spanOf(after),
    min: sums.min,
    max: sums.max,
    zeros: expected.length === 0 ? 0 : sums.zeros / expected.length,
    sqnrDb: sqnrDb(sums.signal, sums.noise),
  }
}

function spanOf({ quantization }: GraphTensor): ScaleSpan | null {
  if (quantization === null) return null
  const { scales, axis } = quantization
  return {
    count: scales.length,
    min: scales.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    max: scales.reduce((a, b) => Math.max(a, b), 0),
    axis: scales.length > 1 ? axis : null,
  }
}
