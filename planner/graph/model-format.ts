import type { Finding } from '../../shared/findings.ts'
import type { ModelFormat, TensorInfo } from '../../shared/runtime/index.ts'
import type { Tensor } from '../../shared/tensors.ts'
import type { CodeForms } from './code-forms.ts'
import type { Graph, GraphOperator, OperatorId, SubgraphId, TensorId } from './graph.ts'
import type { Computation, Plan } from './instructions.ts'
import type { ObserverPlan } from './observer-plan.ts'

/** What the quantizer asks of a model format. One implementation per format; the quantizer knows no other. */
export interface QuantizableFormat {
  /** @throws AppError when the bytes are no model of the format. */
  open(bytes: Uint8Array, preparation: Preparation): QuantizableModel | Promise<QuantizableModel>
}

/** Every format, opened when first asked for: each brings parsers and tables, which nobody waits for who has a model of another. */
export type ModelFormats = Readonly<Record<ModelFormat, () => Promise<QuantizableFormat>>>

/** What is done to the source before anyone looks at it. */
export interface Preparation {
  readonly sources: SourceTreatment
  /** Numbers stored as halves become float32, also where other stored numbers are kept; as `sources` says where absent. */
  readonly widenHalves?: boolean
  /** For error messages; absent for bytes that are no file. */
  readonly fileName?: string
  /** Operators become equivalents with better integer kernels, where the format has any. */
  readonly forIntegers: boolean
}

/** What to do with numbers that are integers or halves already: leave them, turn them back into float32, or refuse the model. */
export const SOURCE_TREATMENTS = ['keep', 'dequantize', 'refuse'] as const
export type SourceTreatment = (typeof SOURCE_TREATMENTS)[number]

export interface QuantizableModel {
  readonly graph: Graph
  /** What the file itself has to tell: numbers that were quantized already, and what became of them. */
  readonly findings: readonly Finding[]
  readonly entries: readonly Entry[]
  /** A model that gives out its activations, for one entry: all computed floats, or the computed ones of `asked`. */
  instrument(entry: Entry, asked?: readonly TensorId[]): Instrumented
  /** The same for observers, where the runtime can find out itself what they want to know. */
  summarise?(planFor: (tensor: TensorId) => ObserverPlan, seen: SeenShapes): Summarised
  perform(plan: Plan): Uint8Array
  /** Why a runtime of this release could not load the operator once it computes so; null where it can. */
  newerForm?(
    operator: GraphOperator,
    as: Computation,
    target: CodeForms,
    release: string,
  ): string | null
  /** What of the file that we wrote a runtime of this release cannot load. */
  unloadable?(bytes: Uint8Array, release: string): readonly Finding[]
  /** Whether operators of the file really become integer kernels; null where none should. */
  audit?(plan: Plan): Audit | null
  /** Where the time of a file that `perform` wrote goes on this machine, where the runtime can tell; over `ms` of runs. */
  times?(
    bytes: Uint8Array,
    inputs: Readonly<Record<string, Tensor>>,
    ms: number,
  ): Promise<OperatorTimes>
}

/** How to learn what the runtime makes of a file. */
export interface Audit {
  /** With integer kernels for signed activations, whatever this machine has. */
  readonly signedActivations: boolean
  /** @param optimized the graph as the runtime's optimiser left it */
  judge(optimized: Uint8Array): readonly Finding[]
}

/** By operators of the graph, on one thread; µs. Operators without a time were done with another, or not at all. */
export interface OperatorTimes {
  readonly operators: ReadonlyMap<OperatorId, number>
  /** Changes of numbers or of their layout that stand apart. */
  readonly conversions: readonly { readonly elements: number; readonly us: number }[]
  /** The cheapest node: what calling a kernel costs. */
  readonly leastUs: number
}

/** A way into the model: its main graph, or the graph of a signature. */
export interface Entry {
  readonly subgraph: SubgraphId
  /** Under the names that callers, and data files, use. */
  readonly inputs: readonly TensorInfo[]
  readonly tensors: readonly TensorId[]
}

/** Shapes that a sample made of what the model leaves open. */
export type SeenShapes = ReadonlyMap<TensorId, readonly number[]>

export interface Summarised {
  readonly bytes: Uint8Array
  /** In the order of the model's outputs; a summarised one has several. */
  readonly observed: readonly ObserverPlan[]
  /** Constants that a file beside the model holds, so that they need not be in memory once more. */
  readonly data?: {
    readonly name: string
    readonly size: number
    readonly pieces: readonly { readonly bytes: Uint8Array; readonly offset: number }[]
  }
}

export interface Instrumented {
  readonly bytes: Uint8Array
  /** Tensors of the graph in the order of the model's outputs. */
  readonly outputs: readonly TensorId[]
}
