import { MODEL, OPERATOR, SUBGRAPH } from './fields.ts'
import { type FlatTable, rootTable } from './flat-table.ts'
import { type Integers, isRuled, KnownIntegers } from './known-integers.ts'
import { readable } from './model-io.ts'
import { builtinOf } from './operator-code.ts'
import { fieldsOf, int32, type Part, uint8, type Value, withPrefix } from './prefix.ts'

const RESHAPE = 22
/** Of the union `BuiltinOptions`, and the one field of that table. */
const RESHAPE_OPTIONS = 17
const NEW_SHAPE = 0

/**
 * RESHAPE whose new shape an operator computes: LiteRT then takes its result for one whose size only a run tells, gives it
 * memory of its own, and leaves the buffer that callers read as it was. Most such shapes are known when the file is read: sizes
 * that are closed, joined to constants, and at most the batch left open. A copy of the file says them in the operator's
 * options, and is without what computed them for nobody else; other files are given back as they are.
 * @throws RuntimeError `not-loadable`
 */
export function withSettledReshapes(model: Uint8Array): Uint8Array {
  return readable(() => {
    const root = rootTable(model, 'TFL3')
    const subgraphs = root.tables(MODEL.subgraphs)
    const settled = subgraphs.map((subgraph) => settledGraph(model, root, subgraph))
    if (settled.every((part) => part === null)) return model
    const fields = fieldsOf(root, [MODEL.version])
    fields.set(MODEL.subgraphs, {
      kind: 'tables',
      elements: subgraphs.map((table, i) => settled[i] ?? { kind: 'old', table }),
    })
    return withPrefix(model, 'TFL3', { kind: 'table', fields })
  })
}

/** Null where nothing changes. */
function settledGraph(model: Uint8Array, root: FlatTable, subgraph: FlatTable): Part | null {
  const codes = root.tables(MODEL.codes).map(builtinOf)
  const codeOf = (operator: FlatTable) => codes[operator.uint32(OPERATOR.opcode)] ?? -1
  const integers = new KnownIntegers(model, subgraph)
  const shapes = new Map<number, readonly number[]>()
  for (const operator of subgraph.tables(SUBGRAPH.operators)) {
    const shape = codeOf(operator) === RESHAPE ? newShape(operator, integers) : null
    if (shape !== null) shapes.set(operator.start, shape)
  }
  if (shapes.size === 0) return null
  const forShapes = (operator: FlatTable) =>
    isRuled(codeOf(operator)) &&
    operator.int32s(OPERATOR.outputs).every((output) => integers.of(output) !== null)
  const fields = fieldsOf(subgraph, [SUBGRAPH.debugMetadata])
  fields.set(SUBGRAPH.operators, {
    kind: 'tables',
    elements: operatorsBehind(subgraph, shapes, forShapes),
  })
  return { kind: 'table', fields }
}

/**
 * @param shapes by where the operators stand
 * @param forShapes whether an operator is of no use once nobody reads it
 */
function operatorsBehind(
  subgraph: FlatTable,
  shapes: ReadonlyMap<number, readonly number[]>,
  forShapes: (operator: FlatTable) => boolean,
): Value[] {
  const needed = new Set(subgraph.int32s(SUBGRAPH.outputs))
  const kept: Value[] = []
  for (const operator of subgraph.tables(SUBGRAPH.operators).toReversed()) {
    const read = operator.int32s(OPERATOR.outputs).some((output) => needed.has(output))
    if (!read && forShapes(operator)) continue
    const shape = shapes.get(operator.start)
    const inputs = operator.int32s(OPERATOR.inputs)
    for (const input of shape === undefined ? inputs : inputs.slice(0, 1)) needed.add(input)
    kept.push(shape === undefined ? { kind: 'old', table: operator } : said(operator, shape))
  }
  return kept.reverse()
}

/** Null where it is a constant already, or is not known. */
function newShape(operator: FlatTable, integers: KnownIntegers): number[] | null {
  const [input = -1, shape = -1] = operator.int32s(OPERATOR.inputs)
  if (shape < 0 || integers.isConstant(shape)) return null
  const asked = integers.of(shape)
  if (asked === null || asked.length === 0) return null
  // One size is what is left of the others.
  if (asked.filter((dim) => dim === null || dim < 0).length > 1) return null
  const dims = asked.map((dim) => dim ?? -1)
  return fits(integers.shapeOf(input), dims) ? dims : null
}

/** Files that contradict themselves are left to the runtime. */
function fits(from: Integers | null, to: readonly number[]): boolean {
  if (from === null || from.some((dim) => dim === null)) return true
  const numbers = (dims: Integers) => dims.reduce<number>((all, dim) => all * (dim ?? 1), 1)
  const closed = to.filter((dim) => dim >= 0)
  return closed.length === to.length
    ? numbers(from) === numbers(to)
    : numbers(from) % numbers(closed) === 0
}

function said(operator: FlatTable, shape: readonly number[]): Value {
  const [input = -1] = operator.int32s(OPERATOR.inputs)
  const options: Part = {
    kind: 'table',
    fields: new Map<number, Value>([[NEW_SHAPE, { kind: 'int32s', values: shape }]]),
  }
  const fields = new Map<number, Value>([
    [OPERATOR.opcode, int32(operator.uint32(OPERATOR.opcode))],
    [OPERATOR.inputs, { kind: 'int32s', values: [input] }],
    [OPERATOR.outputs, { kind: 'int32s', values: operator.int32s(OPERATOR.outputs) }],
    [OPERATOR.optionsType, uint8(RESHAPE_OPTIONS)],
    [OPERATOR.options, options],
  ])
  return { kind: 'table', fields }
}
