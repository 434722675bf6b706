import type { GraphTensor, TensorId } from '../../graph/index.ts'
import { INTEGER_LIMITS, type IntegerType } from '../../graph/index.ts'
import { holdsNumbers } from '../match/activations.ts'
import type { Match } from '../match/match.ts'
import type { OpenedModel } from '../opened-model.ts'
import { AS_IS, type Reading, type Representable } from './pair-statistics.ts'

/** An activation to watch in both models. */
export interface Tap {
  readonly float: GraphTensor
  readonly quantized: GraphTensor
}

/**
 * Activations whose numbers both models hold, in the float model's order of execution. Of an input, the integer
 * tensor is watched that the model makes of it; an input that stays float has no error to show.
 */
export function tapsOf(float: OpenedModel, quantized: OpenedModel, match: Match): Tap[] {
  return [...match.tensors].flatMap(([ours, theirs]) => {
    const a = float.graph.tensors[ours]
    const b = quantized.graph.tensors[quantizedForm(quantized, theirs)]
    if (a === undefined || b === undefined || !holdsNumbers(a) || !holdsNumbers(b)) return []
    const isInput = float.links.producers[ours] === null
    return isInput && b.type === 'float32' ? [] : [{ float: a, quantized: b }]
  })
}

function quantizedForm({ graph, links }: OpenedModel, tensor: TensorId): TensorId {
  if (links.producers[tensor] !== null) return tensor
  const codes = (links.uses[tensor] ?? []).flatMap((use) => {
    const reader = use.kind === 'input' ? graph.operators[use.operator] : undefined
    return reader?.kind === 'quantize' ? (reader.outputs[0] ?? []) : []
  })
  return codes[0] ?? tensor
}

export function readingOf({ type, quantization }: GraphTensor): Reading {
  if (type === 'float32') return AS_IS
  return {
    scale: quantization?.scales[0] ?? 1,
    zeroPoint: quantization?.zeroPoints[0] ?? 0,
  }
}

export function representableBy(tensor: GraphTensor): Representable {
  if (!(tensor.type in INTEGER_LIMITS)) {
    return { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY, step: 0 }
  }
  const { scale, zeroPoint } = readingOf(tensor)
  const { min, max } = INTEGER_LIMITS[tensor.type as IntegerType]
  return { lowest: scale * (min - zeroPoint), highest: scale * (max - zeroPoint), step: scale }
}
