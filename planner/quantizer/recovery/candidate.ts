import type { Instrumented, Plan, QuantizableModel, TensorId } from '../../graph/index.ts'
import type { CalibrationWish } from '../calibrate/calibrate.ts'
import type { TensorStatistics } from '../observers/statistics.ts'
import type { PlanRequest } from '../plan/request.ts'
import type { RangeChoice } from '../ranges/choose.ts'
import type { ChannelMeans } from './bias-correction.ts'

/** A model with a plan: what recovery methods improve. */
export interface Candidate {
  readonly model: QuantizableModel
  readonly statistics: readonly TensorStatistics[]
  readonly request: PlanRequest
  readonly plan: Plan
}

/** What methods may need of the world. */
export interface Services {
  /** The user chose the methods: they may take their time. */
  readonly thorough: boolean
  plan(request: PlanRequest): Plan
  open(bytes: Uint8Array): Promise<QuantizableModel>
  /** Statistics of activations on all calibration samples. */
  observe(model: QuantizableModel, wish: CalibrationWish): Promise<readonly TensorStatistics[]>
  /** Of the channels of what an instrumented copy of the model's first entry gives out, on some samples; of `wanted` only. */
  channelMeans(
    model: QuantizableModel,
    copy: Instrumented,
    wanted?: ReadonlySet<TensorId>,
  ): Promise<ChannelMeans>
  chooseRanges(statistics: readonly TensorStatistics[], model: QuantizableModel): RangeChoice
}

/** The candidate with other numbers; null where the method finds nothing to improve. */
export type RecoveryRun = (candidate: Candidate, services: Services) => Promise<Candidate | null>

/** The same model under other revisions. */
export function revised(
  candidate: Candidate,
  revisions: PlanRequest['revisions'],
  services: Services,
): Candidate {
  const request = { ...candidate.request, revisions }
  return { ...candidate, request, plan: services.plan(request) }
}
