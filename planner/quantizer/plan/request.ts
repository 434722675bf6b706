import type {
  AffineParameters,
  CodeForms,
  Computation,
  Graph,
  GraphOperator,
  Links,
  OperatorId,
  Range,
  TensorId,
} from '../../graph/index.ts'
import type { KernelTable } from '../../targets/index.ts'
import type { OperatorSelector } from './selectors.ts'

/** What codes of an activation span. */
export interface CalibratedRange extends Range {
  /** All that calibration saw of it, where ends may have been cut off. */
  readonly seen?: Range
}

/** All a planner may look at. Plans are pure: the same request gives the same plan. */
export interface PlanRequest {
  readonly graph: Graph
  readonly links: Links
  /** Of the runtime that will run the file. */
  readonly facts: KernelTable
  /** Calibrated range of every activation that was reached. */
  readonly ranges: ReadonlyMap<TensorId, CalibratedRange>
  /** Activations that were reached but gave no range, and why. */
  readonly unusable: ReadonlyMap<TensorId, string>
  /** Activations that held infinite numbers, which their ranges leave out. */
  readonly unbounded: ReadonlySet<TensorId>
  readonly revisions: Revisions
  readonly keepFloat: readonly OperatorSelector[]
  /** Why the runtime that the file is for could not load an operator that computes so; null where it can. */
  readonly runtimeObstacle: (operator: GraphOperator, as: Computation) => string | null
  readonly forms: CodeForms
  /** The oldest that must load the file, where one was given. */
  readonly release?: string
  /** A file that is only measured: its ends are float, whatever the forms say, and all else is as they say. */
  readonly measured?: boolean
}

/** Numbers that recovery methods put in the place of the file's, by the operator that uses them. */
export type Revisions = ReadonlyMap<OperatorId, Revision>
export interface Revision {
  readonly weight?: Float32Array
  /** Which `weight` was chosen for: its numbers lie on these codes. */
  readonly weightParameters?: AffineParameters
  readonly bias?: Float32Array
}
