import { MODEL, OPERATOR, SUBGRAPH, TENSOR } from './fields.ts'
import { type FlatTable, rootTable } from './flat-table.ts'
import { KnownIntegers } from './known-integers.ts'
import { entryPoint, readable } from './model-io.ts'
import { builtinOf, CODE } from './operator-code.ts'
import { fieldsOf, int32, uint8, type Value, withPrefix } from './prefix.ts'

/** Field numbers of schema.fbs. */
const SIGNATURE = { outputs: 1, subgraph: 4 }
const TENSOR_MAP = { tensor: 1 }

/** Operators that hand on the memory of another subgraph: IF, WHILE. */
const HANDING_ON: readonly number[] = [118, 119]

/** Operators whose results are of run-time size unless certain inputs are constants: which. */
const SIZED_BY: ReadonlyMap<number, readonly number[]> = new Map([
  [22, [1]], // RESHAPE
  [23, [1]], // RESIZE_BILINEAR
  [34, [1]], // PAD
  [38, [1, 2]], // SPACE_TO_BATCH_ND
  [45, [1, 2, 3]], // STRIDED_SLICE
  [60, [1]], // PADV2
  [65, [1, 2]], // SLICE
  [67, [0]], // TRANSPOSE_CONV
  [69, [1]], // TILE
  [94, [0]], // FILL
  [96, [0, 1, 2]], // RANGE
  [97, [1]], // RESIZE_NEAREST_NEIGHBOR
  [100, [1]], // MIRROR_PAD
  [130, [1]], // BROADCAST_TO
])
/** Copies numbers of any type, whatever their shape. */
const CAST = 53

/**
 * Outputs that a loop or a branch makes, or whose size only a run tells: LiteRT gives them memory of their own there and leaves the
 * buffer that callers read as it was, or refuses the run. A copy of the file has an operator behind each that copies it over; other files
 * are given back as they are.
 * @throws RuntimeError `not-loadable`
 */
export function withCopiedOutputs(model: Uint8Array, signature?: string): Uint8Array {
  return readable(() => {
    const { subgraph, graph } = entryPoint(model, signature)
    const root = rootTable(model, 'TFL3')
    const handed = handedOn(model, root, subgraph)
    if (handed.length === 0) return model
    const tensors = subgraph.tables(SUBGRAPH.tensors)
    const codes = root.tables(MODEL.codes)
    const copies = new Map(handed.map((output, i) => [output, tensors.length + i]))
    const old = (table: FlatTable): Value => ({ kind: 'old', table })
    const entry = fieldsOf(subgraph, [SUBGRAPH.debugMetadata])
    const outputs = subgraph.int32s(SUBGRAPH.outputs).map((at) => copies.get(at) ?? at)
    entry.set(SUBGRAPH.outputs, { kind: 'int32s', values: outputs })
    entry.set(SUBGRAPH.tensors, {
      kind: 'tables',
      elements: [...tensors.map(old), ...handed.map((at) => copyOf(tensors[at] as FlatTable))],
    })
    entry.set(SUBGRAPH.operators, {
      kind: 'tables',
      elements: [
        ...subgraph.tables(SUBGRAPH.operators).map(old),
        ...[...copies].map(([from, to]) => castFrom(from, to, codes.length)),
      ],
    })
    const fields = fieldsOf(root, [MODEL.version])
    fields.set(MODEL.codes, { kind: 'tables', elements: [...codes.map(old), castCode()] })
    fields.set(MODEL.subgraphs, {
      kind: 'tables',
      elements: root
        .tables(MODEL.subgraphs)
        .map((table, at) => (at === graph ? { kind: 'table', fields: entry } : old(table))),
    })
    const copied = withPrefix(model, 'TFL3', { kind: 'table', fields })
    pointSignatures(copied, graph, copies)
    return copied
  })
}

/** Tensors, each once. */
function handedOn(model: Uint8Array, root: FlatTable, subgraph: FlatTable): number[] {
  const codes = root.tables(MODEL.codes).map(builtinOf)
  const integers = new KnownIntegers(model, subgraph)
  const makers = subgraph.tables(SUBGRAPH.operators).filter((operator) => {
    const code = codes[operator.uint32(OPERATOR.opcode)] ?? -1
    const inputs = operator.int32s(OPERATOR.inputs)
    const sizes = (SIZED_BY.get(code) ?? []).flatMap((at) => inputs[at] ?? [])
    return HANDING_ON.includes(code) || sizes.some((size) => !integers.isConstant(size))
  })
  const made = new Set(makers.flatMap((operator) => operator.int32s(OPERATOR.outputs)))
  return [...new Set(subgraph.int32s(SUBGRAPH.outputs))].filter((output) => made.has(output))
}

/** A tensor like another, without its contents. */
function copyOf(tensor: FlatTable): Value {
  const fields = new Map<number, Value>()
  for (const field of [TENSOR.shape, TENSOR.name, TENSOR.quantization, TENSOR.shapeSignature]) {
    const position = tensor.targetOf(field)
    if (position !== undefined) fields.set(field, { kind: 'place', position })
  }
  fields.set(TENSOR.type, uint8(tensor.uint8(TENSOR.type)))
  fields.set(TENSOR.buffer, int32(0))
  fields.set(TENSOR.rank, uint8(tensor.uint8(TENSOR.rank)))
  return { kind: 'table', fields }
}

function castFrom(from: number, to: number, opcode: number): Value {
  const fields = new Map<number, Value>([
    [OPERATOR.opcode, int32(opcode)],
    [OPERATOR.inputs, { kind: 'int32s', values: [from] }],
    [OPERATOR.outputs, { kind: 'int32s', values: [to] }],
  ])
  return { kind: 'table', fields }
}

function castCode(): Value {
  const fields = new Map<number, Value>([
    [CODE.deprecated, uint8(CAST)],
    [CODE.version, int32(1)],
    [CODE.builtin, int32(CAST)],
  ])
  return { kind: 'table', fields }
}

/** In place. */
function pointSignatures(
  model: Uint8Array,
  graph: number,
  copies: ReadonlyMap<number, number>,
): void {
  for (const signature of rootTable(model, 'TFL3').tables(MODEL.signatures)) {
    if (signature.uint32(SIGNATURE.subgraph) !== graph) continue
    for (const map of signature.tables(SIGNATURE.outputs)) {
      const copy = copies.get(map.uint32(TENSOR_MAP.tensor))
      if (copy !== undefined) map.overwriteUint32(TENSOR_MAP.tensor, copy)
    }
  }
}
