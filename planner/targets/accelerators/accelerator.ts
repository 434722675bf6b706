import { OPERATOR_KINDS, type OperatorKind } from '../../graph/index.ts'

/** Compilers that a row of `planner/compilers` drives. */
export const COMPILER_NAMES = ['vela', 'edgetpu_compiler'] as const
export type CompilerName = (typeof COMPILER_NAMES)[number]

/** What a device calls that which hands operators to an accelerator. */
export const DELEGATE_NAMES = [
  'edgetpu',
  'ethos-u',
  'vx',
  'teflon',
  'qnn',
  'tidl',
  'external',
] as const
export type DelegateName = (typeof DELEGATE_NAMES)[number]

/** What a plugin of OpenVINO computes on. */
export type DeviceName = 'GPU' | 'NPU'

/** What a compiled file needs, and no runtime has without its delegate. */
export type CustomOperator = 'ethos-u' | 'edgetpu-custom-op'

export interface Accelerator {
  /** For people. */
  readonly title: string
  /** How a device reaches it: by a delegate of TensorFlow Lite, or as a device of OpenVINO. */
  readonly reached:
    | { readonly by: 'delegate'; readonly name: DelegateName }
    | { readonly by: 'device'; readonly name: DeviceName }
  readonly takes: Takes
  readonly operators: OperatorSupport
  /** What makes its files of what it takes; null where it takes those as they are. */
  readonly compiler: {
    readonly name: CompilerName
    /** The accelerator, as the compiler calls it; null where it knows only one. */
    readonly configuration: string | null
    readonly customOperator: CustomOperator
  } | null
}

/** Which file it takes, before any compiler. */
export interface Takes {
  /** `integers`: it computes nothing else, so whatever the quantizer leaves in float stays on the CPU. */
  readonly numbers: 'integers' | 'integers-and-floats'
  /** Types of the model's inputs and outputs, the best first; integer edges spare operators that it cannot take. */
  readonly edges: readonly ('int8' | 'uint8' | 'float32')[]
  /** Scales of weights: one a tensor, one an output channel, or whichever. */
  readonly weights: 'per-channel' | 'per-tensor-preferred' | 'either'
  /** The document that says so. */
  readonly source: string
}

/** Which operators it never takes, whatever their sizes; what it refuses besides depends on them. */
export type OperatorSupport =
  | {
      readonly known: true
      readonly never: ReadonlySet<OperatorKind>
      /** Names, in the format, of operators that it takes although the graph has no kind for them. */
      readonly takesOther: ReadonlySet<string>
      readonly source: string
    }
  /** Nobody publishes it by operator: the device says it when it loads a file. */
  | { readonly known: false; readonly source: string }

/** The published list is of what it takes: all else stays on the CPU. */
export function takesOnly(
  kinds: readonly OperatorKind[],
  source: string,
  others: readonly string[] = [],
): OperatorSupport {
  const taken = new Set<OperatorKind>(kinds)
  return {
    known: true,
    never: new Set(OPERATOR_KINDS.filter((kind) => !taken.has(kind))),
    takesOther: new Set(others),
    source,
  }
}
