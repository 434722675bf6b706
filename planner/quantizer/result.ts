import type { Finding } from '../../shared/findings.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import type { Scheme } from '../../shared/schemes.ts'
import type { OperatorTally, Plan } from '../graph/index.ts'
import type { TargetName } from '../targets/index.ts'
import type { BudgetReport } from './accuracy-control/hold.ts'
import type { CompressionReport } from './compression/report.ts'
import type { LayerLoss } from './levels/layer-losses.ts'
import type { Level } from './levels/level.ts'
import type { RecoveryStep } from './recovery/recover.ts'

export interface QuantizeResult {
  readonly bytes: Uint8Array
  readonly format: ModelFormat
  readonly target: TargetName
  readonly scheme: Scheme
  readonly findings: readonly Finding[]
  readonly plan: Plan
  readonly operators: OperatorTally
  /** What each recovery method gave; empty where none ran. */
  readonly recovery: readonly RecoveryStep[]
  /** Layers whose codes lose most, worst first; empty where none has any. */
  readonly losses: readonly LayerLoss[]
  /** What the outputs reach, where there are samples to compare them on. */
  readonly level?: Level
  /** Where an accuracy budget was given. */
  readonly budget?: BudgetReport
  /** Where pruning or clustering was asked for. */
  readonly compression?: CompressionReport
}
