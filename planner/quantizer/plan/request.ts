import type { Graph, GraphOperator, OperatorId, TensorId } from '../../formats/graph.ts'
import type { Links } from '../../formats/links.ts'
import type { FactsTable } from '../operators.ts'
import type { Range } from '../parameters/activation.ts'
import type { ActivationType, AffineParameters } from '../parameters/forms.ts'
import type { WeightBits } from '../parameters/weight.ts'
import type { Computation } from './instructions.ts'
import type { OperatorSelector } from './selectors.ts'

/** All a planner may look at. Plans are pure: the same request gives the same plan. */
export interface PlanRequest {
  readonly graph: Graph
  readonly links: Links
  /** Of the runtime that will run the file. */
  readonly facts: FactsTable
  /** Calibrated range of every activation that was reached. */
  readonly ranges: ReadonlyMap<TensorId, Range>
  /** Activations that were reached but gave no range, and why. */
  readonly unusable: ReadonlyMap<TensorId, string>
  readonly revisions: Revisions
  readonly keepFloat: readonly OperatorSelector[]
  /** Why the runtime that the file is for could not load an operator that computes so; null where it can. */
  readonly runtimeObstacle: (operator: GraphOperator, as: Computation) => string | null
  readonly target: PlanTarget
}

/** Numbers that recovery methods put in the place of the file's, by the operator that uses them. */
export type Revisions = ReadonlyMap<OperatorId, Revision>
export interface Revision {
  readonly weight?: Float32Array
  /** Which `weight` was chosen for: its numbers lie on these codes. */
  readonly weightParameters?: AffineParameters
  readonly bias?: Float32Array
}

/** What the runtime that will load the file can take, and what its model edges look like. */
export interface PlanTarget {
  readonly activations: ActivationType
  readonly weightBits: WeightBits
  /** Type at the model's inputs and outputs. */
  readonly edges: 'float32' | ActivationType
  /** Integer kernels take one scale per output channel of a fully-connected weight. */
  readonly perChannelFullyConnected: boolean
  /** The same for float activations: needs a runtime of 2024 (opcode version 12). */
  readonly perChannelHybridFullyConnected: boolean
}
