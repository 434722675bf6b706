import type { TflUnion } from '../../../../../planner/formats/tflite/index.ts'
import { sizeOf } from '../../../../../shared/tensors.ts'
import {
  type Domain,
  numbersFor,
  type OneOperator,
  type Operand,
  randomFrom,
  x,
} from './one-operator.ts'

export const within = (domain: Domain, ...shape: number[]): Operand => ({
  type: 'FLOAT32',
  shape,
  domain,
})
export const flags = (...shape: number[]): Operand => ({ type: 'BOOL', shape })
export const counts = (...shape: number[]): Operand => ({ type: 'INT32', shape })
export const longs = (...shape: number[]): Operand => ({ type: 'INT64', shape })
/** Constant of noise. */
export const noise = (...shape: number[]): Operand => ({
  ...x(...shape),
  data: numbersFor(x(...shape), randomFrom(sizeOf(shape))),
})
/** Constant integers: a vector, or a scalar. */
export const ints = (...values: number[]): Operand => ({
  type: 'INT32',
  shape: [values.length],
  data: Int32Array.from(values),
})
export const int = (value: number): Operand => ({
  type: 'INT32',
  shape: [],
  data: Int32Array.of(value),
})
export const table = (rows: number, ...values: number[]): Operand => ({
  type: 'INT32',
  shape: [rows, values.length / rows],
  data: Int32Array.from(values),
})

/** Written `KIND words about the case`: the operator, then what is particular about this row. */
export interface Case extends OneOperator {
  readonly title: string
  /** LiteRT.js gives out nothing of a result that is known when the model loads: only with an open batch. */
  readonly openOnly?: true
}

export function row(
  title: string,
  options: TflUnion | null,
  inputs: readonly (Operand | null)[],
  ...outputs: Operand[]
): Case {
  const [kind = ''] = title.split(' ')
  return { title, kind, inputs, outputs, ...(options && { options }) }
}

export const fused = (type: string, fusedActivationFunction: string): TflUnion => ({
  type,
  fusedActivationFunction,
})
