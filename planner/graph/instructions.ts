import type { Finding } from '../../shared/findings.ts'
import type { OperatorId, TensorId, Use } from './graph.ts'
import type { Form } from './numbers/forms.ts'

/**
 * Everything a transform has to know how to do, verb → arguments. The instruction union, the verbs and
 * the transforms' tables derive from this map: a format that misses one does not compile.
 */
export interface InstructionArguments {
  /** Writes a constant in `form` for the listed uses; other uses keep the original, or get their own. */
  'store-constant': {
    readonly tensor: TensorId
    readonly form: Form
    readonly uses: readonly Use[]
    /** Replaces the file's numbers, e.g. after bias correction. */
    readonly values?: Float32Array
  }
  /** The tensor is computed, or fed by the caller, in `form`. */
  'set-activation': { readonly tensor: TensorId; readonly form: Form }
  /** A tensor at hand in one form is needed in another: quantize, dequantize or requantize it once for all `uses`. */
  convert: {
    readonly tensor: TensorId
    readonly from: Form
    readonly to: Form
    readonly uses: readonly Use[]
  }
  /** Gives an operator the bias it lacks. */
  'add-bias': {
    readonly operator: OperatorId
    readonly position: number
    readonly form: Form
    readonly values: Float32Array
  }
  /** How an operator computes from now on. */
  compute: { readonly operator: OperatorId; readonly as: Computation }
}

/**
 * `integer`: integers in and out; `hybrid`: int8 weights between float activations; `blocks`: int4 weights in
 * blocks of 32 along the input channels, expanded by the kernel.
 */
export type Computation = 'integer' | 'hybrid' | 'blocks'

export type Verb = keyof InstructionArguments

export type Instruction = {
  [V in Verb]: { readonly verb: V } & InstructionArguments[V]
}[Verb]

/** What will be done to a model, and what the user should know about it. Nothing is changed yet. */
export interface Plan {
  readonly instructions: readonly Instruction[]
  readonly findings: readonly Finding[]
  readonly operators: OperatorTally
}

export interface OperatorTally {
  readonly total: number
  /** Computing on integers, or with integer weights. */
  readonly integer: number
  readonly float: number
}

/** The model as it was opened. */
export const NO_CHANGE: Plan = {
  instructions: [],
  findings: [],
  operators: { total: 0, integer: 0, float: 0 },
}
