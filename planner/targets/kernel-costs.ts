import type { OperatorId } from '../graph/index.ts'

/** What each operator takes in float and on integers, and what lies between them; µs. */
export interface KernelCosts {
  readonly float: ReadonlyMap<OperatorId, number>
  readonly integer: ReadonlyMap<OperatorId, number>
  readonly border: BorderPrice
}

/** Of handing a tensor from float to integers or back. */
export interface BorderPrice {
  readonly us: number
  readonly usPerElement: number
}
