import type { ElementType } from '../../tensors.ts'
import { RuntimeError } from '../errors.ts'
import type { TensorInfo } from '../runtime.ts'
import { type FlatTable, rootTable } from './flat-table.ts'

/** `TensorType` of TensorFlow Lite's schema.fbs; types absent here cannot be model inputs or outputs. */
const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = {
  0: 'float32',
  1: 'float16',
  2: 'int32',
  3: 'uint8',
  4: 'int64',
  6: 'bool',
  7: 'int16',
  9: 'int8',
  10: 'float64',
  12: 'uint64',
  15: 'uint32',
  16: 'uint16',
}

/** Field numbers of schema.fbs. */
const MODEL = { subgraphs: 2, signatures: 7 }
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2 }
const TENSOR = { shape: 0, type: 1, name: 3, quantization: 4, shapeSignature: 7, hasRank: 8 }
const QUANTIZATION = { scale: 2, zeroPoint: 3 }
const SIGNATURE = { inputs: 0, outputs: 1, key: 2, subgraph: 4 }
const TENSOR_MAP = { name: 0, tensor: 1 }

/** What the APIs of runtimes do not tell of a model: names, types, open dimensions and quantization of its ends. */
export interface ModelIo {
  readonly inputs: readonly TensorInfo[]
  readonly outputs: readonly TensorInfo[]
  /** Its place among the file's signatures; 0 where the file has none. */
  readonly signature: number
  /** The graph that it runs: its place in the file, and what its ends are called there. */
  readonly graph: {
    readonly index: number
    readonly inputs: readonly string[]
    readonly outputs: readonly string[]
  }
}

/**
 * The ends of the named signature, or else the first, under the signature's names; of the first subgraph under its tensors' names
 * where the model has no signature. Order is the subgraph's, which is the order LiteRT runs them in.
 * A name that occurs twice gets `#2`, `#3`.
 * @throws RuntimeError `not-loadable`
 */
export function readModelIo(model: Uint8Array, signature?: string): ModelIo {
  return readable(() => {
    const { subgraph, graph, names, index } = entryPoint(model, signature)
    const tensors = subgraph.tables(SUBGRAPH.tensors)
    const tensorNames = (field: number) =>
      subgraph.int32s(field).map((index) => at(tensors, index).string(TENSOR.name))
    const ends = (field: number, map: ReadonlyMap<number, string>) =>
      distinct(
        subgraph.int32s(field).map((index) => tensorInfo(at(tensors, index), map.get(index))),
      )
    return {
      inputs: ends(SUBGRAPH.inputs, names.inputs),
      outputs: ends(SUBGRAPH.outputs, names.outputs),
      signature: index,
      graph: {
        index: graph,
        inputs: tensorNames(SUBGRAPH.inputs),
        outputs: tensorNames(SUBGRAPH.outputs),
      },
    }
  })
}

/** A copy of the file with other input shapes of the same rank: see `setInputShapes`. */
export function withInputShapes(
  model: Uint8Array,
  shapes: readonly (readonly number[])[],
  signature?: string,
): Uint8Array {
  const copy = new Uint8Array(model)
  setInputShapes(copy, shapes, signature)
  return copy
}

/**
 * Writes other input shapes of the same rank into the file; the interpreter infers the rest from them.
 * (The wasm API resizes inputs by itself but keeps the outputs at their old size: measured with 2.5.3.)
 *
 * LiteRT sizes an output by what the interpreter inferred where the file says that its rank is known; files of older
 * converters do not say so, and then it believes the file, too small a buffer included. There the batch is written
 * into the outputs as well.
 * @throws RuntimeError `run-failed` where such a file has other open dimensions than the batch
 */
export function setInputShapes(
  model: Uint8Array,
  shapes: readonly (readonly number[])[],
  signature?: string,
): void {
  readable(() => {
    const { subgraph } = entryPoint(model, signature)
    const tensors = subgraph.tables(SUBGRAPH.tensors)
    const ends = (field: number) => subgraph.int32s(field).map((index) => at(tensors, index))
    const inputs = ends(SUBGRAPH.inputs)
    const outputs = ends(SUBGRAPH.outputs).filter(
      (output) => isOpen(output) && output.uint8(TENSOR.hasRank) === 0,
    )
    if (outputs.length > 0) {
      const factor = batchFactor(inputs, shapes)
      for (const output of outputs) setShape(output, batched(output, factor))
    }
    inputs.forEach((input, i) => {
      setShape(input, shapes[i] ?? [])
    })
  })
}

function isOpen(tensor: FlatTable): boolean {
  return tensor.int32s(TENSOR.shapeSignature).some((dim) => dim < 0)
}

/** How many times the batch in the file is asked for. */
function batchFactor(inputs: readonly FlatTable[], shapes: readonly (readonly number[])[]): number {
  const factors = inputs.flatMap((input, i) =>
    input.int32s(TENSOR.shape).flatMap((dim, axis) => {
      const factor = (shapes[i]?.[axis] ?? dim) / dim
      return axis === 0 && isOpen(input) ? [factor] : factor === 1 ? [] : [Number.NaN]
    }),
  )
  const [factor = 1] = factors
  if (factors.some((other) => other !== factor)) throw onlyBatch()
  return factor
}

function batched(output: FlatTable, factor: number): number[] {
  const [, ...rest] = output.int32s(TENSOR.shapeSignature)
  if (rest.some((dim) => dim < 0)) throw onlyBatch()
  return output.int32s(TENSOR.shape).map((dim, axis) => (axis === 0 ? dim * factor : dim))
}

function onlyBatch(): RuntimeError {
  return new RuntimeError(
    'run-failed',
    'only the batch of this model may change, as its file does not say how its outputs follow other dimensions: export it again with a current converter',
  )
}

function setShape(tensor: FlatTable, shape: readonly number[]): void {
  tensor.overwriteInt32s(TENSOR.shape, shape)
  tensor.overwriteInt32s(TENSOR.shapeSignature, shape)
}

/** The graph of the named signature, or else of the first, or else the first. */
export function entryPoint(model: Uint8Array, wanted?: string) {
  const root = rootTable(model, 'TFL3')
  const signatures = root.tables(MODEL.signatures)
  const index = wanted === undefined ? 0 : signatureNamed(signatures, wanted)
  const signature = signatures[index]
  const graph = signature?.uint32(SIGNATURE.subgraph) ?? 0
  const subgraph = at(root.tables(MODEL.subgraphs), graph)
  const names = (field: number) =>
    new Map(
      signature
        ?.tables(field)
        .map((map) => [map.uint32(TENSOR_MAP.tensor), map.string(TENSOR_MAP.name)]),
    )
  return {
    subgraph,
    graph,
    index,
    names: { inputs: names(SIGNATURE.inputs), outputs: names(SIGNATURE.outputs) },
  }
}

function signatureNamed(signatures: readonly FlatTable[], wanted: string): number {
  const keys = signatures.map((signature) => signature.string(SIGNATURE.key))
  const index = keys.indexOf(wanted)
  if (index >= 0) return index
  const known = keys.length > 0 ? `its signatures are ${keys.join(', ')}` : 'it has none'
  throw new RuntimeError('not-loadable', `the model has no signature "${wanted}": ${known}`)
}

function tensorInfo(tensor: FlatTable, signatureName: string | undefined): TensorInfo {
  const name = signatureName ?? tensor.string(TENSOR.name)
  const code = tensor.uint8(TENSOR.type)
  const type = ELEMENT_TYPES[code]
  if (type === undefined)
    throw new RuntimeError(
      'not-loadable',
      `"${name}" has element type ${code} of the TFLite schema, which no input or output may have: use a model with numeric inputs and outputs`,
      { name, code },
    )
  const open = tensor.int32s(TENSOR.shapeSignature)
  const shape = open.length > 0 ? open : tensor.int32s(TENSOR.shape)
  const quantization = tensor.table(TENSOR.quantization)
  const scale = quantization?.float32s(QUANTIZATION.scale) ?? []
  const zeroPoint = quantization?.int64s(QUANTIZATION.zeroPoint) ?? []
  if (scale.length !== 1 || !(Number(scale[0]) > 0)) return { name, type, shape }
  return {
    name,
    type,
    shape,
    quantization: { scale: Number(scale[0]), zeroPoint: Number(zeroPoint[0] ?? 0) },
  }
}

function distinct(ends: readonly TensorInfo[]): TensorInfo[] {
  const seen = new Map<string, number>()
  return ends.map((end) => {
    const count = (seen.get(end.name) ?? 0) + 1
    seen.set(end.name, count)
    return count === 1 ? end : { ...end, name: `${end.name}#${count}` }
  })
}

function at(tables: readonly FlatTable[], index: number): FlatTable {
  const table = tables[index]
  if (table === undefined) throw new RangeError(`no table ${index} of ${tables.length}`)
  return table
}

/** @throws RuntimeError `not-loadable` where the bytes end before what is read */
export function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause
    throw new RuntimeError(
      'not-loadable',
      'not a .tflite model: the file is cut short or damaged, or of another format',
      {},
      { cause },
    )
  }
}
