import {
  type TflModel,
  type TflTensor,
  type TflUnion,
  writeTflite,
} from '../../../../../planner/formats/tflite/index.ts'
import { sizeOf, type TensorData } from '../../../../../shared/tensors.ts'
import { operatorOf, tensorOf } from '../../tflite/small-model.ts'

/** An operand of the operator under test: computed where it has no data; null for an absent one. */
export interface Operand {
  readonly shape: readonly number[]
  readonly type: 'FLOAT32' | 'INT32' | 'INT64' | 'BOOL' | 'FLOAT16'
  readonly data?: TensorData
  /** Where the operator is defined: inputs are drawn from here. */
  readonly domain?: Domain
}
export type Domain = 'signed' | 'unit' | 'positive' | 'small-integers'

export interface OneOperator {
  readonly kind: string
  readonly options?: TflUnion
  readonly inputs: readonly (Operand | null)[]
  readonly outputs: readonly Operand[]
}

/** Computed float tensor. */
export const x = (...shape: number[]): Operand => ({ type: 'FLOAT32', shape })

/** Operators whose version 1 no runtime has. */
const FIRST_VERSIONS: Readonly<Record<string, number>> = { BROADCAST_TO: 2 }

const IDENTITY_POOL: TflUnion = {
  type: 'Pool2DOptions',
  padding: 'VALID',
  strideW: 1,
  strideH: 1,
  filterWidth: 1,
  filterHeight: 1,
}

/** Whether an operand can pass through a 1×1 pool, which leaves it channels first in the import. */
export function poolable(operand: Operand | null): boolean {
  return operand?.type === 'FLOAT32' && operand.data === undefined && operand.shape.length === 4
}

export interface Shaping {
  /** Computed images pass a 1×1 pool first, as they would behind a convolution. */
  readonly behindPool: boolean
  /** The first dimension of computed tensors is left open. */
  readonly openBatch: boolean
}

/** A .tflite file of the one operator. */
export function tfliteOf(of: OneOperator, { behindPool, openBatch }: Shaping): Uint8Array {
  const tensors: TflTensor[] = []
  const buffers: TflModel['buffers'] = [{ data: null }]
  const operators: TflModel['subgraphs'][number]['operators'] = []
  const add = (name: string, operand: Operand) => {
    const data = operand.data
    if (data !== undefined) {
      buffers.push({ data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
    }
    const open = openBatch && data === undefined && operand.shape.length > 0
    tensors.push({
      ...tensorOf(name, [...operand.shape], data === undefined ? 0 : buffers.length - 1),
      type: operand.type,
      hasRank: true,
      shapeSignature: open ? [-1, ...operand.shape.slice(1)] : null,
    })
    return tensors.length - 1
  }
  const fed: number[] = []
  const inputs = of.inputs.map((operand, i) => {
    if (operand === null) return -1
    const index = add(operand.data === undefined ? `x${i}` : `constant${i}`, operand)
    if (operand.type === 'FLOAT16') {
      const floats = add(`floats${i}`, x(...operand.shape))
      operators.push(operatorOf(2, [index], [floats]))
      return floats
    }
    if (operand.data !== undefined) return index
    fed.push(index)
    if (!behindPool || !poolable(operand)) return index
    const pooled = add(`pooled${i}`, operand)
    operators.push({ ...operatorOf(1, [index], [pooled]), builtinOptions: IDENTITY_POOL })
    return pooled
  })
  const outputs = of.outputs.map((operand, i) => add(`y${i}`, operand))
  operators.push({ ...operatorOf(0, inputs, outputs), builtinOptions: of.options ?? null })
  return writeTflite({
    version: 3,
    description: null,
    operatorCodes: [
      { builtinCode: of.kind, customCode: null, version: FIRST_VERSIONS[of.kind] ?? 1 },
      { builtinCode: 'MAX_POOL_2D', customCode: null, version: 1 },
      { builtinCode: 'DEQUANTIZE', customCode: null, version: 3 },
    ],
    subgraphs: [{ name: 'main', tensors, inputs: fed, outputs, operators }],
    buffers,
    metadata: [],
    metadataBuffer: null,
    signatureDefs: [],
  })
}

const ARRAYS = {
  FLOAT32: Float32Array,
  FLOAT16: Uint16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  BOOL: Uint8Array,
} as const

export type Random = () => number

/** Deterministic numbers in [0, 1). */
export function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}

export function numbersFor(operand: Operand, random: Random): TensorData {
  const size = sizeOf(operand.shape)
  const draw = DRAWERS[operand.type](operand.domain ?? 'signed', random)
  if (operand.type === 'INT64') return BigInt64Array.from({ length: size }, () => BigInt(draw()))
  const array = ARRAYS[operand.type] as { from(like: ArrayLike<number>): TensorData }
  return array.from(Array.from({ length: size }, draw))
}

const DRAWERS: Record<Operand['type'], (domain: Domain, random: Random) => () => number> = {
  FLOAT32: (domain, random) => DOMAINS[domain](random),
  FLOAT16: () => () => 0,
  INT32: (_, random) => () => Math.floor(random() * 20) - 10,
  INT64: (_, random) => () => Math.floor(random() * 20) - 10,
  BOOL: (_, random) => () => Math.floor(random() * 2),
}

const DOMAINS: Record<Domain, (random: Random) => () => number> = {
  signed: (random) => () => (random() * 2 - 1) * 4,
  unit: (random) => () => random() * 2 - 1,
  positive: (random) => () => random() * 4 + 0.1,
  'small-integers': (random) => () => Math.floor(random() * 3),
}
