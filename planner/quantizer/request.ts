import type { Dataset } from '../../shared/dataset/index.ts'
import type { EngineChoice } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, type Scheme } from '../../shared/schemes.ts'
import type { ModelFormats } from '../graph/index.ts'
import type { TargetName } from '../targets/index.ts'
import type { QuantizeOptions } from './options.ts'

export interface QuantizeRequest {
  readonly model: Uint8Array
  /** What the file is for; the model is in its format. */
  readonly target: TargetName
  readonly formats: ModelFormats
  /** For error messages. */
  readonly fileName?: string
  readonly scheme: Scheme
  /** Needed by schemes with integer activations. */
  readonly calibration?: Dataset
  readonly options?: QuantizeOptions
  /** In what it is calibrated and judged; what comes with this program where absent. */
  readonly engine?: EngineChoice
  readonly onProgress?: (done: number, total: number, what: string) => void
}

/** A request as it may be made: the model is opened while samples are still read. */
export interface QuantizeOrder extends Omit<QuantizeRequest, 'calibration'> {
  readonly calibration?: Dataset | Promise<Dataset>
}

export function isCalibrated(scheme: Scheme): boolean {
  return BASE_SCHEMES[scheme.base].calibrated
}
