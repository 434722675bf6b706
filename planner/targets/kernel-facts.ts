import type { OperatorKind } from '../graph/index.ts'

/** Law that binds an operator's output parameters when it computes in integers. */
export type OutputRule =
  /** The kernel rescales: output parameters follow the output's own range. */
  | { readonly law: 'free' }
  /** Codes are copied: outputs carry the parameters of the first activation. */
  | { readonly law: 'same-as-input' }
  /** Codes of several inputs meet in one output: all of them carry its parameters. `centred`: with zero point 0. */
  | { readonly law: 'same-as-output'; readonly centred?: boolean }
  /** The kernel accepts these numbers only. */
  | {
      readonly law: 'fixed'
      readonly int8: FixedParameters
      readonly int16: FixedParameters | null
    }
  /** Indices or truth values come out. */
  | { readonly law: 'no-numbers' }

export interface FixedParameters {
  readonly scale: number
  readonly zeroPoint: number
}

export interface KernelFacts {
  /** How it computes on integer activations; null where no integer kernel exists. */
  readonly integer: { readonly output: OutputRule; readonly int16: boolean } | null
  /**
   * How int8 weights go between float activations (dynamic range): a kernel takes them, or they are
   * dequantized when the model loads; null where they stay float.
   */
  readonly hybrid: 'kernel' | 'through-dequantize' | null
  /** Copies numbers without arithmetic: alone between float operators, an integer kernel gains nothing. */
  readonly movesOnly: boolean
  /** Integer kernels take their fast path only with a bias present (XNNPACK, LiteRT's README of the delegate). */
  readonly biasWanted: boolean
  /** A kernel takes its constant weight as int4 in blocks that have a scale each. */
  readonly blocks?: boolean
  /** Its integer kernel can give out float32 itself, sparing a rounding where only float readers follow. */
  readonly floatResult?: boolean
}

export type KernelTable = Readonly<Record<OperatorKind, KernelFacts>>

/** No kernel but in float. */
export const FLOAT_ONLY: KernelFacts = {
  integer: null,
  hybrid: null,
  movesOnly: false,
  biasWanted: false,
}
