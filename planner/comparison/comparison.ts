import type { Finding } from '../../shared/findings.ts'
import type { QualityRecord } from '../../shared/measure/index.ts'
import type { Computation, OperatorRow } from './inside/computation.ts'
import type { StorageShare } from './inside/storage.ts'
import type { WeightComparison } from './inside/weights.ts'
import type { ComparedLatency } from './measure/latency.ts'
import type { PairSummary } from './measure/pair-statistics.ts'
import type { Points } from './measure/scatter.ts'

/** What a file holds, whether float or quantized. */
export interface ModelFacts {
  readonly file: string
  readonly bytes: number
  readonly storage: readonly StorageShare[]
  readonly operators: readonly OperatorRow[]
  readonly computing: Readonly<Record<Computation, number>>
}

/** One activation in both models. */
export interface LayerComparison extends PairSummary {
  /** Place in the float model's order of execution, from 0; inputs come first. */
  readonly order: number
  /** The tensor's name in the float model, and in the quantized one. */
  readonly name: string
  readonly quantizedName: string
  /** What computes it in the float model; `input` for the model's own. */
  readonly operator: string
  /** How the quantized model computes it. */
  readonly computes: Computation
  /** Of the quantized tensor. */
  readonly type: string
  readonly scale: number | null
  readonly zeroPoint: number | null
  /** Lowest and highest number it can hold; null for floats. */
  readonly holds: readonly [number, number] | null
  readonly output: boolean
}

export interface Scatter {
  readonly layer: string
  readonly points: Points
}

export interface QuantizedComparison extends ModelFacts {
  /** In order of execution. */
  readonly layers: readonly LayerComparison[]
  readonly weights: readonly WeightComparison[]
  readonly quality: QualityRecord
  /** Null where nobody asked for it. */
  readonly latency: ComparedLatency | null
  /** Float activations without a counterpart. */
  readonly unmatched: readonly string[]
  /** Of the outputs, then of the worst layers. */
  readonly scatters: readonly Scatter[]
  readonly findings: readonly Finding[]
}

export interface Comparison {
  readonly float: ModelFacts
  readonly samples: number
  readonly quantized: readonly QuantizedComparison[]
  /** About the float model; each quantized one has its own. */
  readonly findings: readonly Finding[]
}

/** Worst first, and biases last: they are changed on purpose, to take back what rounding does to means. */
export function worstWeights(weights: readonly WeightComparison[]): WeightComparison[] {
  const isBias = ({ role }: WeightComparison) => role === 'bias'
  const matrices = weights.filter((weight) => !isBias(weight))
  return [...worstFirst(matrices), ...worstFirst(weights.filter(isBias))]
}

/** Worst first; equals in order of execution. */
export function worstFirst<T extends { readonly sqnrDb: number }>(rows: readonly T[]): T[] {
  return [...rows].sort((a, b) => a.sqnrDb - b.sqnrDb)
}
