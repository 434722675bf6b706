import type { Draft, DraftSubgraph, DraftTensor } from '../draft.ts'

/** Real numbers that training let a tensor hold. */
export interface LearntRange {
  readonly min: number
  readonly max: number
}

export function learn(tensor: DraftTensor, { min, max }: LearntRange): void {
  const quantization = {
    min: Float32Array.of(min),
    max: Float32Array.of(max),
    scale: null,
    zeroPoint: null,
    details: null,
    quantizedDimension: 0,
  }
  tensor.fields = { ...tensor.fields, quantization }
}

/** Readers, and the model's ends, take the tensor before; its name stays where somebody outside may use it. */
export function replace(
  from: DraftTensor,
  by: DraftTensor,
  subgraph: DraftSubgraph,
  draft: Draft,
): void {
  const swap = (tensor: DraftTensor | null) => (tensor === from ? by : tensor)
  const ends = subgraph.outputs.includes(from)
  for (const operator of subgraph.operators) operator.inputs = operator.inputs.map(swap)
  subgraph.outputs = subgraph.outputs.map((tensor) => (tensor === from ? by : tensor))
  for (const signature of draft.signatures) {
    for (const end of signature.outputs) if (end.tensor === from) end.tensor = by
  }
  if (ends && !subgraph.inputs.includes(by)) by.fields = { ...by.fields, name: from.fields.name }
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
