import type { Instrumented, QuantizableModel } from '../../formats/quantizable.ts'
import type { CalibrationWish } from '../calibrate/calibrate.ts'
import type { TensorStatistics } from '../calibrate/statistics.ts'
import type { Plan } from '../plan/instructions.ts'
import type { PlanRequest } from '../plan/request.ts'
import type { RangeChoice } from '../ranges/choose.ts'
import type { ChannelMeans } from './bias-correction.ts'

/** A model with a plan: what recovery methods improve. */
export interface Subject {
  readonly model: QuantizableModel
  readonly statistics: readonly TensorStatistics[]
  readonly request: PlanRequest
  readonly plan: Plan
}

/** What methods may need of the world. */
export interface Tools {
  /** The user chose the methods: they may take their time. */
  readonly thorough: boolean
  plan(request: PlanRequest): Plan
  open(bytes: Uint8Array): Promise<QuantizableModel>
  /** Statistics of activations on all calibration samples. */
  observe(model: QuantizableModel, wish: CalibrationWish): Promise<readonly TensorStatistics[]>
  /** Of the channels of what an instrumented copy of the model's first entry gives out, on some samples. */
  channelMeans(model: QuantizableModel, copy: Instrumented): Promise<ChannelMeans>
  chooseRanges(statistics: readonly TensorStatistics[], model: QuantizableModel): RangeChoice
}

/** The subject with other numbers; null where the method finds nothing to improve. */
export type RecoveryRun = (subject: Subject, tools: Tools) => Promise<Subject | null>

/** The same model under other revisions. */
export function revised(
  subject: Subject,
  revisions: PlanRequest['revisions'],
  tools: Tools,
): Subject {
  const request = { ...subject.request, revisions }
  return { ...subject, request, plan: tools.plan(request) }
}
