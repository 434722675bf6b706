import type { Finding } from '../../../../shared/findings.ts'
import type { TableValue } from '../codec/schema/schema.ts'
import { type DraftSubgraph, type DraftTensor, draftOf } from '../draft.ts'
import { finishDraft } from '../finish-draft.ts'
import type { TflModel, TflTensor } from '../model.ts'
import { TENSOR_TYPES, type TensorTypeName } from '../tensor-types.ts'
import { settleVersion, signatureOf } from '../transform/signatures.ts'
import type { Prepared } from './prepared.ts'

type Sparsity = TableValue<'SparsityParameters'>
type Dimension = TableValue<'DimensionMetadata'>

/** A file of few bytes may claim any size: so many dense bytes for each stored one are believed. */
const MOST_PER_STORED = 1024

/**
 * Constants that are stored without their zeros ⇒ dense ones: no integer kernel reads the others. DENSIFY, which unpacks them
 * at run time, goes. What contradicts itself stays as it is.
 */
export function sparseConstants(model: TflModel): Prepared {
  const draft = draftOf(model)
  const unpacked = draft.subgraphs.flatMap(unpack)
  const [first] = unpacked
  if (first === undefined) return { model, findings: [] }
  return { model: finishDraft(draft), findings: [unpackedFinding(unpacked.length, first)] }
}

function unpack(subgraph: DraftSubgraph): string[] {
  const before = subgraph.operators.map(signatureOf)
  const dense = new Set(subgraph.tensors.filter(makeDense))
  subgraph.operators.forEach((operator, i) => {
    const reads = operator.inputs.some((tensor) => tensor !== null && dense.has(tensor))
    if (reads) settleVersion(operator, before[i] ?? null)
  })
  subgraph.operators = subgraph.operators.filter(({ code, inputs, outputs }) => {
    const [[stored], [output]] = [inputs, outputs]
    if (code.builtinCode !== 'DENSIFY' || !stored || !output || !dense.has(stored)) return true
    output.data = stored.data
    return false
  })
  return [...dense].map(({ fields }) => fields.name ?? '')
}

/** Whether it became so. */
function makeDense(tensor: DraftTensor): boolean {
  const data = tensor.data === null ? null : denseBytes(tensor.fields, tensor.data)
  if (data === null) return false
  tensor.data = data
  tensor.fields = { ...tensor.fields, sparsity: null }
  return true
}

function denseBytes({ type, shape, sparsity }: TflTensor, stored: Uint8Array): Uint8Array | null {
  const { bits } = TENSOR_TYPES[type as TensorTypeName]
  if (sparsity === null || shape === null || bits === null || bits < 8) return null
  const width = bits / 8
  const size = width * shape.reduce((all, dim) => all * dim, 1)
  const levels = levelsOf(shape, sparsity)
  if (levels === null || size > MOST_PER_STORED * stored.length) return null
  const dense = new Uint8Array(size)
  const visit = (depth: number, from: number, to: number): boolean => {
    const level = levels[depth]
    if (level !== undefined)
      return level.places(from).every(([next, at]) => {
        return at < level.extent && visit(depth + 1, next, to + at * level.stride)
      })
    dense.set(stored.subarray(from * width, (from + 1) * width), to * width)
    return (from + 1) * width <= stored.length
  }
  return visit(0, 0, 0) ? dense : null
}

/** One dimension as it is walked through, from the outermost. */
interface Level {
  /** How many places it has, and how many elements of the dense tensor lie between two. */
  readonly extent: number
  readonly stride: number
  /** Those that are stored below entry `from` of the level before: each with its own entry, and where it lies. */
  places(from: number): (readonly [entry: number, at: number])[]
}

/** Null where they do not fit the shape. */
function levelsOf(shape: readonly number[], sparsity: Sparsity): Level[] | null {
  const { traversalOrder, blockMap, dimMetadata } = sparsity
  const [order, blocked, metadata] = [traversalOrder ?? [], blockMap ?? [], dimMetadata ?? []]
  const rank = shape.length
  if (order.length !== rank + blocked.length || metadata.length !== order.length) return null
  if ([...order].sort((a, b) => a - b).some((dimension, i) => dimension !== i)) return null
  const blockOf = (dimension: number) => {
    const at = blocked.indexOf(dimension)
    return at < 0 ? 1 : (metadata[order.indexOf(rank + at)]?.denseSize ?? 0)
  }
  const strideOf = (dimension: number) =>
    shape.slice(dimension + 1).reduce((all, dim) => all * dim, 1)
  const levels = order.map((dimension, i): Level | null => {
    const within = dimension >= rank
    const outer = within ? (blocked[dimension - rank] ?? -1) : dimension
    const block = blockOf(outer)
    const size = shape[outer]
    if (size === undefined || block < 1 || size % block !== 0) return null
    const extent = within ? block : size / block
    const places = placesOf(metadata[i] as Dimension, extent)
    return places && { extent, stride: strideOf(outer) * (within ? 1 : block), places }
  })
  return levels.every((level) => level !== null) ? (levels as Level[]) : null
}

function placesOf(
  { format, denseSize, arraySegments, arrayIndices }: Dimension,
  extent: number,
): Level['places'] | null {
  if (format === 'DENSE') {
    if (denseSize !== extent) return null
    return (from) => Array.from({ length: extent }, (_, at) => [from * extent + at, at])
  }
  const [segments, indices] = [arraySegments?.values ?? [], arrayIndices?.values ?? []]
  return (from) => {
    const [start = 0, end = 0] = [segments[from], segments[from + 1]]
    // What is missing, or too much, lies outside of every extent.
    if (end < start || end - start > extent) return [[0, extent]]
    return Array.from({ length: end - start }, (_, i) => [start + i, indices[start + i] ?? extent])
  }
}

function unpackedFinding(count: number, first: string): Finding {
  return {
    code: 'sparse-unpacked',
    severity: 'info',
    message: `the source stores ${count} constants without their zeros (first: "${first}"); they are stored whole, as no integer kernel reads them otherwise`,
    where: first,
  }
}
