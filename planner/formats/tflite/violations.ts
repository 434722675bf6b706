import type { TflModel, TflOperator, TflSubgraph, TflTensor, TflUnion } from './model.ts'
import { bytesOfElements, type TensorTypeName } from './tensor-types.ts'

/** A place in the model tree and what is wrong there. */
export interface Violation {
  where: string
  problem: string
}

/** Tensors without constant data name the first buffer, whatever it holds. */
export const NO_BUFFER = 0
export function* ofSubgraphs(
  model: TflModel,
  violations: (subgraph: TflSubgraph, where: string) => Iterable<Violation>,
): Iterable<Violation> {
  for (const [index, subgraph] of model.subgraphs.entries()) {
    yield* violations(subgraph, `subgraphs[${index}]`)
  }
}

export function ofOperators(
  model: TflModel,
  violations: (operator: TflOperator, where: string, subgraph: TflSubgraph) => Iterable<Violation>,
): Iterable<Violation> {
  return ofSubgraphs(model, function* (subgraph, where) {
    for (const [index, operator] of subgraph.operators.entries()) {
      const found = violations(operator, `${where}.operators[${index}]`, subgraph)
      yield* named(found, operatorName(model, subgraph, operator))
    }
  })
}

/** Places are for programs; people know names. */
function* named(violations: Iterable<Violation>, name: string): Iterable<Violation> {
  for (const { where, problem } of violations) yield { where, problem: `${problem} (${name})` }
}

/** `CONV_2D "out"`: operators go by their first output. */
export function operatorName(
  { operatorCodes }: TflModel,
  { tensors }: TflSubgraph,
  { opcodeIndex, outputs }: TflOperator,
): string {
  const code = operatorCodes[opcodeIndex]
  const kind = code?.customCode ?? code?.builtinCode ?? 'an operator'
  return `${kind} "${tensors[outputs[0] ?? -1]?.name ?? ''}"`
}

export function ofTensors(
  model: TflModel,
  violations: (tensor: TflTensor, where: string, subgraph: TflSubgraph) => Iterable<Violation>,
): Iterable<Violation> {
  return ofSubgraphs(model, function* (subgraph, where) {
    for (const [index, tensor] of subgraph.tensors.entries()) {
      const found = violations(tensor, `${where}.tensors[${index}]`, subgraph)
      yield* named(found, `tensor "${tensor.name ?? ''}"`)
    }
  })
}

export function* outOfRange(
  indices: readonly number[],
  count: number,
  where: string,
  lowest = 0,
): Iterable<Violation> {
  for (const index of indices) {
    if (index >= lowest && index < count) continue
    yield { where, problem: `${index} leads nowhere (there are ${count})` }
  }
}

/** Options that call subgraphs name them `…SubgraphIndex`, `…Indices` or `subgraph`; -1 is none. */
export function* subgraphReferences(
  options: TflUnion | null,
  where: string,
  { subgraphs }: TflModel,
): Iterable<Violation> {
  for (const [field, value] of Object.entries(options ?? {})) {
    if (!/subgraph(Index)?$|SubgraphIndices$|^calledComputations$/i.test(field)) continue
    const indices = (Array.isArray(value) ? value : [value]) as number[]
    yield* outOfRange(indices, subgraphs.length, `${where}.${field}`, -1)
  }
}

export function* badDims(
  dims: readonly number[],
  where: string,
  lowest: number,
): Iterable<Violation> {
  const bad = dims.find((dim) => dim < lowest)
  if (bad !== undefined) yield { where, problem: `has a dimension of ${bad}` }
  else if (!Number.isSafeInteger(elementsOf(dims))) {
    yield { where, problem: 'has more elements than any memory holds' }
  }
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

export function* constantSize(
  model: TflModel,
  { type, shape, buffer, sparsity }: TflTensor,
  where: string,
  breaks: (bytes: number, needed: number) => boolean,
): Iterable<Violation> {
  const bytes = buffer === NO_BUFFER ? 0 : (model.buffers[buffer]?.data?.length ?? 0)
  const needed = bytesOfElements(type as TensorTypeName, elementsOf(shape ?? []))
  if (bytes === 0 || needed === null || sparsity !== null) return
  if (!breaks(bytes, needed)) return
  yield {
    where,
    problem: `${type}[${shape ?? []}] needs ${needed} bytes, buffers[${buffer}] has ${bytes}`,
  }
}

export function* brokenQuantization(
  { quantization, shape }: TflTensor,
  tensor: string,
  { tensors }: TflSubgraph,
): Iterable<Violation> {
  if (quantization === null) return
  const where = `${tensor}.quantization`
  const { details, quantizedDimension: axis } = quantization
  const scales = quantization.scale?.length ?? 0
  const zeroPoints = quantization.zeroPoint?.length ?? 0
  const dims = shape ?? []
  if (details !== null) {
    const references = [details.scales, details.zeroPoints].filter((at) => typeof at === 'number')
    yield* outOfRange(references, tensors.length, `${where}.details`, -1)
  }
  if (scales === 0) return
  if (zeroPoints !== scales) {
    yield { where, problem: `has ${scales} scales but ${zeroPoints} zero points` }
  }
  if (dims.length > 0 && (axis < 0 || axis >= dims.length)) {
    yield { where, problem: `dimension ${axis} is none of a tensor of ${dims.length}` }
  } else if (dims.length > 0 && scales !== 1 && scales !== dims[axis]) {
    yield { where, problem: `has ${scales} scales for ${dims[axis]} channels` }
  }
}
