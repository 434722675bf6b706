import type { OperatorKind } from './operator-kinds.ts'

/** What a model file holds, for people and for planning; the same shape for every format. */
export interface Inspection {
  readonly format: string
  readonly bytes: number
  readonly producer: string | null
  readonly inputs: readonly InspectedTensor[]
  readonly outputs: readonly InspectedTensor[]
  readonly operators: readonly InspectedOperator[]
  readonly subgraphs: number
  readonly constants: {
    readonly count: number
    readonly elements: number
    readonly types: Readonly<Record<string, number>>
  }
  /** Schema or opset versions, release notes and the like, as the format calls them. */
  readonly versions: Readonly<Record<string, string>>
}

export interface InspectedTensor {
  readonly name: string
  readonly type: string
  readonly shape: readonly number[]
}

export interface InspectedOperator {
  /** What the format calls it, with its version: `CONV_2D v3`. */
  readonly operator: string
  readonly count: number
  /** What the format calls it, without a version: `CONV_2D`. */
  readonly native: string
  /** How the quantizer knows it. */
  readonly kind: OperatorKind
  readonly integerKernel: boolean
  /** Why the runtime of the format cannot run it, on any device; null where it can. */
  readonly obstacle: string | null
}
