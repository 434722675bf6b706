import { digestOf } from '../../../shared/digest.ts'
import { invariant } from '../../../shared/errors.ts'
import type { Draft, DraftSubgraph, DraftTensor } from './draft.ts'
import type { TflBuffer, TflModel, TflOperatorCode, TflSubgraph, TflTensor } from './model.ts'

/** The model a draft stands for: only what is used, each operator code and each constant's bytes once. */
export function finishDraft(draft: Draft): TflModel {
  const buffers = new BufferTable()
  const codes = new CodeTable()
  const numbers = draft.subgraphs.map((subgraph) => numberTensors(draft, subgraph))
  const subgraphs = draft.subgraphs.map((subgraph, at) =>
    finishSubgraph(subgraph, numbers[at] as TensorNumbers, buffers, codes),
  )
  return {
    ...draft.model,
    operatorCodes: codes.list,
    subgraphs,
    metadata: draft.metadata.map(({ entry, data }) => ({
      ...entry,
      buffer: buffers.indexOf(data),
    })),
    signatureDefs: draft.signatures.map(({ source, inputs, outputs }) => {
      const tensors = numbers[source.subgraphIndex] as TensorNumbers
      const ends = (list: typeof inputs) =>
        list.map(({ name, tensor }) => ({ name, tensorIndex: numberOf(tensors, tensor) }))
      return { ...source, inputs: ends(inputs), outputs: ends(outputs) }
    }),
    metadataBuffer: draft.oldMetadata?.map((data) => buffers.indexOf(data)) ?? null,
    buffers: buffers.list,
  }
}

type TensorNumbers = ReadonlyMap<DraftTensor, number>

function numberTensors(draft: Draft, subgraph: DraftSubgraph): TensorNumbers {
  const used = usedTensors(draft, subgraph)
  const kept = subgraph.tensors.filter((tensor) => used.has(tensor))
  return new Map(kept.map((tensor, index) => [tensor, index]))
}

/** Tensors that an operator, the subgraph's edges or a signature point at. */
export function usedTensors(draft: Draft, subgraph: DraftSubgraph): Set<DraftTensor> {
  const used = new Set<DraftTensor>([...subgraph.inputs, ...subgraph.outputs])
  const use = (tensor: DraftTensor | null) => tensor !== null && used.add(tensor)
  for (const operator of subgraph.operators) {
    operator.inputs.forEach(use)
    operator.outputs.forEach(use)
    operator.intermediates?.forEach(use)
  }
  for (const signature of draft.signatures) {
    for (const end of [...signature.inputs, ...signature.outputs]) used.add(end.tensor)
  }
  for (const { blocks } of used) {
    if (blocks) used.add(blocks.scales)
    if (blocks?.zeroPoints) used.add(blocks.zeroPoints)
  }
  return used
}

function numberOf(numbers: TensorNumbers, tensor: DraftTensor | null): number {
  if (tensor === null) return -1
  const number = numbers.get(tensor)
  invariant(number !== undefined, 'every tensor in use is listed in its subgraph')
  return number
}

function finishSubgraph(
  subgraph: DraftSubgraph,
  numbers: TensorNumbers,
  buffers: BufferTable,
  codes: CodeTable,
): TflSubgraph {
  const numbered = (tensors: readonly (DraftTensor | null)[]) =>
    tensors.map((tensor) => numberOf(numbers, tensor))
  return {
    ...subgraph.source,
    tensors: [...numbers.keys()].map((tensor) => finishTensor(tensor, numbers, buffers)),
    inputs: numbered(subgraph.inputs),
    outputs: numbered(subgraph.outputs),
    operators: subgraph.operators.map((operator) => ({
      ...operator.fields,
      opcodeIndex: codes.indexOf(operator.code),
      inputs: numbered(operator.inputs),
      outputs: numbered(operator.outputs),
      intermediates: operator.intermediates && numbered(operator.intermediates),
    })),
  }
}

function finishTensor(
  { fields, data, blocks }: DraftTensor,
  numbers: TensorNumbers,
  buffers: BufferTable,
): TflTensor {
  const buffer = buffers.indexOf(data)
  const { quantization } = fields
  if (blocks === undefined || !quantization?.details) return { ...fields, buffer }
  const details = {
    ...quantization.details,
    scales: numberOf(numbers, blocks.scales),
    zeroPoints: numberOf(numbers, blocks.zeroPoints),
  }
  return { ...fields, buffer, quantization: { ...quantization, details } }
}

/** Buffer 0 is the empty one, by law of the schema. */
class BufferTable {
  readonly list: TflBuffer[] = [{ data: null }]
  readonly #byContent = new Map<string, number>()

  indexOf(data: Uint8Array | null): number {
    if (data === null || data.length === 0) return 0
    const digest = digestOf(data)
    const known = this.#byContent.get(digest)
    if (known !== undefined) return known
    this.#byContent.set(digest, this.list.length)
    return this.list.push({ data }) - 1
  }
}

class CodeTable {
  readonly list: TflOperatorCode[] = []

  indexOf(code: TflOperatorCode): number {
    const same = this.list.findIndex(
      (known) =>
        known.builtinCode === code.builtinCode &&
        known.customCode === code.customCode &&
        known.version === code.version,
    )
    return same >= 0 ? same : this.list.push(code) - 1
  }
}
