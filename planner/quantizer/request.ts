import type { Dataset } from '../../shared/dataset/index.ts'
import type { ModelFormat } from '../../shared/runtime/index.ts'
import { BASE_SCHEMES, type Scheme } from '../../shared/schemes.ts'
import type { QuantizeOptions } from './options.ts'

export interface QuantizeRequest {
  readonly model: Uint8Array
  readonly format: ModelFormat
  /** For error messages. */
  readonly fileName?: string
  readonly scheme: Scheme
  /** Needed by schemes with integer activations. */
  readonly calibration?: Dataset
  readonly options?: QuantizeOptions
  readonly onProgress?: (done: number, total: number, what: string) => void
}

/** A request as it may be made: the model is opened while samples are still read. */
export interface QuantizeOrder extends Omit<QuantizeRequest, 'calibration'> {
  readonly calibration?: Dataset | Promise<Dataset>
}

export function isCalibrated(scheme: Scheme): boolean {
  return BASE_SCHEMES[scheme.base].calibrated
}
