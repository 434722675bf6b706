import type { Finding } from '../../../shared/findings.ts'
import type { CodeForms, Plan, QuantizableModel } from '../../graph/index.ts'
import type { Target } from '../../targets/index.ts'
import type { BudgetReport } from '../accuracy-control/hold.ts'
import type { Compressed } from '../compression/compress.ts'
import type { InferencePool } from '../inference-pool/inference-pool.ts'
import type { Level } from '../levels/level.ts'
import type { Measured } from '../measure.ts'
import type { Candidate, Services } from '../recovery/candidate.ts'
import type { RecoveryStep } from '../recovery/recover.ts'
import type { SqnrEvaluator } from '../recovery/sqnr-evaluator.ts'
import type { QuantizeRequest } from '../request.ts'

/** What each phase adds to what is known. */
export interface Started {
  readonly request: QuantizeRequest
  readonly target: Target
  readonly forms: CodeForms
  readonly pool: InferencePool
  /** The source as given, opened while the pool started; null where it is compressed first. */
  readonly asGiven: QuantizableModel | null
}

export interface SourceCompressed extends Started {
  readonly compressed: Compressed | null
  /** The request, for the model that is quantized. */
  readonly source: QuantizeRequest
}

export interface Opened extends SourceCompressed {
  readonly opened: QuantizableModel
}

export interface RangesMeasured extends Opened {
  readonly measured: Measured
}

export interface Planned extends RangesMeasured {
  readonly candidate: Candidate
  readonly services: EvaluatingServices
}

export interface Recovered extends Planned {
  readonly steps: readonly RecoveryStep[]
}

export interface Held extends Recovered {
  readonly budget?: BudgetReport
}

export interface Performed extends Held {
  /** With the clusters of compression, as it was performed. */
  readonly plan: Plan
  readonly bytes: Uint8Array
}

export interface Verified extends Performed {
  /** Of all phases, in their order. */
  readonly findings: readonly Finding[]
}

export interface Judged extends Verified {
  /** Null where there are no samples, or nothing changed. */
  readonly level: Level | null
}

export interface EvaluatingServices extends Services {
  /** Null where there are no samples. */
  readonly sqnr: SqnrEvaluator | null
}
