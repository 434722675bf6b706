import { type FlatTable, rootTable } from './flat-table.ts'
import { entryPoint, readable } from './model-io.ts'
import { builtinOf, CODE } from './operator-code.ts'
import { fieldsOf, int32, uint8, type Value, withPrefix } from './prefix.ts'

/** Field numbers of schema.fbs; those of numbers, which are no offsets. */
const MODEL = { version: 0, codes: 1, subgraphs: 2, signatures: 7 }
const SUBGRAPH = { tensors: 0, outputs: 2, operators: 3, debugMetadata: 5 }
const OPERATOR = { opcode: 0, inputs: 1, outputs: 2 }
const TENSOR = {
  shape: 0,
  type: 1,
  buffer: 2,
  name: 3,
  quantization: 4,
  shapeSignature: 7,
  rank: 8,
}
const SIGNATURE = { outputs: 1, subgraph: 4 }
const TENSOR_MAP = { tensor: 1 }

/** Operators that hand on the memory of another subgraph: IF, WHILE. */
const HANDING_ON: readonly number[] = [118, 119]
/** Copies numbers of any type, whatever their shape. */
const CAST = 53

/**
 * Outputs that a loop or a branch makes: LiteRT gives them memory of their own there and leaves the buffer that callers
 * read as it was, or refuses the run. A copy of the file has an operator behind each that copies it over; other files
 * are given back as they are.
 * @throws RuntimeError `not-loadable`
 */
export function withCopiedOutputs(model: Uint8Array, signature?: string): Uint8Array {
  return readable(() => {
    const { subgraph, graph } = entryPoint(model, signature)
    const root = rootTable(model, 'TFL3')
    const handed = handedOn(root, subgraph)
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
function handedOn(root: FlatTable, subgraph: FlatTable): number[] {
  const codes = root.tables(MODEL.codes)
  const makers = subgraph.tables(SUBGRAPH.operators).filter((operator) => {
    const code = codes[operator.uint32(OPERATOR.opcode)]
    return code !== undefined && HANDING_ON.includes(builtinOf(code))
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
