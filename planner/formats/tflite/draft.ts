import { invariant } from '../../../shared/errors.ts'
import type {
  TflMetadata,
  TflModel,
  TflOperator,
  TflOperatorCode,
  TflSignatureDef,
  TflSubgraph,
  TflTensor,
} from './model.ts'

/**
 * A model being changed. Things point at each other instead of counting positions, so an operator can
 * be put in or a tensor left out without renumbering anything; `finishDraft` counts once, at the end,
 * and what nothing points at is gone.
 */
export interface Draft {
  readonly model: TflModel
  readonly subgraphs: DraftSubgraph[]
  metadata: { entry: TflMetadata; data: Uint8Array | null }[]
  /** Of files that name their metadata by buffer alone. */
  readonly oldMetadata: readonly (Uint8Array | null)[] | null
  signatures: DraftSignature[]
}

export interface DraftSubgraph {
  readonly source: TflSubgraph
  tensors: DraftTensor[]
  inputs: DraftTensor[]
  outputs: DraftTensor[]
  operators: DraftOperator[]
}

export interface DraftTensor {
  fields: TflTensor
  data: Uint8Array | null
  /** Tensors that hold the scales and zero points of a blockwise quantized one. */
  blocks?: { scales: DraftTensor; zeroPoints: DraftTensor | null }
}

export interface DraftOperator {
  code: TflOperatorCode
  fields: TflOperator
  inputs: (DraftTensor | null)[]
  outputs: (DraftTensor | null)[]
  intermediates: (DraftTensor | null)[] | null
}

export interface DraftSignature {
  readonly source: TflSignatureDef
  inputs: { name: string | null; tensor: DraftTensor }[]
  outputs: { name: string | null; tensor: DraftTensor }[]
}

/** A draft of `model`, which stays as it is. */
export function draftOf(model: TflModel): Draft {
  const subgraphs = model.subgraphs.map((subgraph) => draftSubgraph(model, subgraph))
  return {
    model,
    subgraphs,
    metadata: model.metadata.map((entry) => ({
      entry,
      data: model.buffers[entry.buffer]?.data ?? null,
    })),
    oldMetadata: model.metadataBuffer?.map((at) => model.buffers[at]?.data ?? null) ?? null,
    signatures: model.signatureDefs.map((source) => {
      const tensors = subgraphs[source.subgraphIndex]?.tensors ?? []
      const ends = (maps: TflSignatureDef['inputs']) =>
        maps.map(({ name, tensorIndex }) => ({ name, tensor: tensorAt(tensors, tensorIndex) }))
      return { source, inputs: ends(source.inputs), outputs: ends(source.outputs) }
    }),
  }
}

function draftSubgraph(model: TflModel, source: TflSubgraph): DraftSubgraph {
  const tensors = source.tensors.map(
    (fields): DraftTensor => ({
      fields: { ...fields },
      data: model.buffers[fields.buffer]?.data ?? null,
    }),
  )
  for (const tensor of tensors) pointAtBlocks(tensor, tensors)
  const optional = (index: number) => (index < 0 ? null : tensorAt(tensors, index))
  return {
    source,
    tensors,
    inputs: source.inputs.map((index) => tensorAt(tensors, index)),
    outputs: source.outputs.map((index) => tensorAt(tensors, index)),
    operators: source.operators.map((fields) => {
      const code = model.operatorCodes[fields.opcodeIndex]
      invariant(code !== undefined, 'every operator has an operator code')
      return {
        code: { ...code },
        fields: { ...fields },
        inputs: fields.inputs.map(optional),
        outputs: fields.outputs.map(optional),
        intermediates: fields.intermediates?.map(optional) ?? null,
      }
    }),
  }
}

/** The schema stores the places of these two tensors as plain numbers. */
function pointAtBlocks(tensor: DraftTensor, tensors: readonly DraftTensor[]): void {
  const details = tensor.fields.quantization?.details
  const scales = details?.scales
  const zeroPoints = details?.zeroPoints
  if (typeof scales !== 'number') return
  const second = typeof zeroPoints === 'number' ? (tensors[zeroPoints] ?? null) : null
  tensor.blocks = { scales: tensorAt(tensors, scales), zeroPoints: second }
}

function tensorAt(tensors: readonly DraftTensor[], index: number): DraftTensor {
  const tensor = tensors[index]
  invariant(tensor !== undefined, `tensor ${index} exists`)
  return tensor
}
