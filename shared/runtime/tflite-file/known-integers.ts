import { BUFFER, MODEL, OPERATOR, SUBGRAPH, TENSOR } from './fields.ts'
import { type FlatTable, rootTable } from './flat-table.ts'
import { builtinOf } from './operator-code.ts'

/** Integers in the order of memory; null is one that only a run tells. */
export type Integers = readonly (number | null)[]

/** What of an operator its numbers follow from. */
interface Asked {
  readonly operator: FlatTable
  /** Of each input; null where nothing is known of it. */
  readonly values: readonly (Integers | null)[]
  /** Of the first input; null where its rank is open, and elements of open sizes. */
  readonly shape: Integers | null
}

type Rule = (asked: Asked) => Integers | null

/** `TensorType`: those of shapes. */
const INT32 = 2
const INT64 = 4

const STRIDED = { beginMask: 0, endMask: 1, ellipsisMask: 2, newAxisMask: 3, shrinkMask: 4 }

/** Numbers stay, whatever their shape. */
const same: Rule = ({ values: [value = null] }) => value

const joined: Rule = ({ values }) =>
  values.every((value) => value !== null) ? values.flatMap((value) => value ?? []) : null

/** What shapes are computed with, by the code of the operator. */
const RULES: ReadonlyMap<number, { readonly name: string; readonly rule: Rule }> = new Map([
  [0, { name: 'ADD', rule: elementwise((a, b) => a + b) }],
  [2, { name: 'CONCATENATION', rule: joined }],
  [18, { name: 'MUL', rule: elementwise((a, b) => a * b) }],
  [22, { name: 'RESHAPE', rule: same }],
  [36, { name: 'GATHER', rule: gathered }],
  [41, { name: 'SUB', rule: elementwise((a, b) => a - b) }],
  [43, { name: 'SQUEEZE', rule: same }],
  [45, { name: 'STRIDED_SLICE', rule: strided }],
  [53, { name: 'CAST', rule: same }],
  [65, { name: 'SLICE', rule: sliced }],
  [70, { name: 'EXPAND_DIMS', rule: same }],
  [77, { name: 'SHAPE', rule: ({ shape }) => shape }],
  [81, { name: 'REDUCE_PROD', rule: product }],
  [83, { name: 'PACK', rule: joined }],
  [90, { name: 'FLOOR_DIV', rule: elementwise((a, b) => Math.floor(a / b)) }],
])

/** Whether the operator computes nothing but what `KnownIntegers` finds out. */
export function isRuled(builtin: number): boolean {
  return RULES.has(builtin)
}

/** Integers of a graph that follow from its file alone: constants, and what is computed of them and of closed sizes. */
export class KnownIntegers {
  readonly #tensors: readonly FlatTable[]
  readonly #buffers: readonly FlatTable[]
  readonly #codes: readonly FlatTable[]
  readonly #makers = new Map<number, FlatTable>()
  readonly #known = new Map<number, Integers | null>()
  /** A file that never says that a rank is known may keep to itself which sizes are open. */
  readonly #closedUnlessSaid: boolean

  constructor(model: Uint8Array, subgraph: FlatTable) {
    const root = rootTable(model, 'TFL3')
    this.#tensors = subgraph.tables(SUBGRAPH.tensors)
    this.#buffers = root.tables(MODEL.buffers)
    this.#codes = root.tables(MODEL.codes)
    const open = (at: number) =>
      this.#tensors[at]?.int32s(TENSOR.shapeSignature).some((dim) => dim < 0) ?? false
    this.#closedUnlessSaid = !subgraph.int32s(SUBGRAPH.inputs).some(open)
    for (const operator of subgraph.tables(SUBGRAPH.operators))
      for (const output of operator.int32s(OPERATOR.outputs)) this.#makers.set(output, operator)
  }

  /** Sizes of a tensor, null where they are open; null where its rank is. */
  shapeOf(at: number): Integers | null {
    const tensor = this.#tensors[at]
    if (tensor === undefined) return null
    const signature = tensor.int32s(TENSOR.shapeSignature)
    if (signature.length > 0) return signature.map((dim) => (dim < 0 ? null : dim))
    const shape = tensor.int32s(TENSOR.shape)
    const told = tensor.uint8(TENSOR.rank) !== 0
    if (told) return shape
    return this.#closedUnlessSaid && shape.length > 0 ? shape : null
  }

  /** Null where nothing is known. */
  of(at: number): Integers | null {
    const known = this.#known.get(at)
    if (known !== undefined) return known
    // A graph that leads back to itself is no graph; asked again on the way, it is not known.
    this.#known.set(at, null)
    const found = this.#constant(at) ?? this.#computed(at)
    this.#known.set(at, found)
    return found
  }

  isConstant(at: number): boolean {
    return this.#constant(at) !== null
  }

  #constant(at: number): Integers | null {
    const tensor = this.#tensors[at]
    const buffer = this.#buffers[tensor?.uint32(TENSOR.buffer) ?? 0]
    if (tensor === undefined || buffer === undefined) return null
    const type = tensor.uint8(TENSOR.type)
    if (type !== INT32 && type !== INT64) return null
    const bytes = buffer.bytes(BUFFER.data)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const width = type === INT32 ? 4 : 8
    if (bytes.length === 0) return null
    return Array.from({ length: Math.floor(bytes.length / width) }, (_, i) =>
      type === INT32 ? view.getInt32(4 * i, true) : Number(view.getBigInt64(8 * i, true)),
    )
  }

  #rankOf(at: number): number {
    return this.#tensors[at]?.int32s(TENSOR.shape).length ?? 0
  }

  #computed(at: number): Integers | null {
    const operator = this.#makers.get(at)
    const type = this.#tensors[at]?.uint8(TENSOR.type)
    if (operator === undefined || (type !== INT32 && type !== INT64)) return null
    const code = this.#codes[operator.uint32(OPERATOR.opcode)]
    const row = code === undefined ? undefined : RULES.get(builtinOf(code))
    if (row === undefined) return null
    const inputs = operator.int32s(OPERATOR.inputs)
    const values = row.name === 'SHAPE' ? [] : inputs.map((input) => this.of(input))
    // What has rows and columns is no shape.
    const rank = this.#rankOf(at)
    if (rank > 1 || (values.length > 0 && inputs.some((input) => this.#rankOf(input) > 1)))
      return null
    return row.rule({ operator, values, shape: this.shapeOf(inputs[0] ?? -1) })
  }
}

function elementwise(compute: (a: number, b: number) => number): Rule {
  return ({ values: [a = null, b = null] }) => {
    if (a === null || b === null) return null
    const length = Math.max(a.length, b.length)
    if ([a, b].some((one) => one.length !== 1 && one.length !== length)) return null
    return Array.from({ length }, (_, i) => {
      const [x, y] = [at(a, a.length === 1 ? 0 : i), at(b, b.length === 1 ? 0 : i)]
      const value = x === null || y === null ? null : compute(x, y)
      return value !== null && Number.isFinite(value) ? value : null
    })
  }
}

function product({ values: [value = null] }: Asked): Integers | null {
  if (value === null) return null
  return [value.reduce((all, one) => (all === null || one === null ? null : all * one), 1)]
}

function gathered({ values: [from = null, places = null] }: Asked): Integers | null {
  if (from === null || places === null) return null
  return places.map((place) => (place === null ? null : at(from, place)))
}

function sliced({ values: [from = null, begin = null, size = null] }: Asked): Integers | null {
  const [start = null] = begin ?? []
  const [length = null] = size ?? []
  if (from === null || start === null || length === null) return null
  return from.slice(start, length < 0 ? undefined : start + length)
}

/** Of a list: a matrix of integers is no shape. */
function strided({ operator, values: [from = null, ...bounds] }: Asked): Integers | null {
  const options = operator.table(OPERATOR.options)
  const mask = (field: number) => options?.uint32(field) ?? 0
  const [begin, end, stride] = bounds.map((bound) => (bound?.length === 1 ? bound[0] : null))
  if (mask(STRIDED.ellipsisMask) !== 0 || mask(STRIDED.newAxisMask) !== 0) return null
  if (from === null || typeof begin !== 'number' || typeof end !== 'number') return null
  if (typeof stride !== 'number' || stride < 1) return null
  if (mask(STRIDED.shrinkMask) !== 0) return [at(from, begin)]
  const first = mask(STRIDED.beginMask) !== 0 ? 0 : begin
  const behind = mask(STRIDED.endMask) !== 0 ? undefined : end
  return from.slice(first, behind).filter((_, i) => i % stride === 0)
}

/** Counted from the end where it is negative. */
function at(values: Integers, place: number): number | null {
  return values.at(place) ?? null
}
