import { BASE_SCHEMES } from '../../shared/schemes.ts'
import type { QuantizableModel } from '../formats/quantizable.ts'
import { type CalibrationWish, calibrate } from './calibrate/calibrate.ts'
import type { TensorStatistics } from './calibrate/statistics.ts'
import type { Laboratory } from './laboratory/laboratory.ts'
import { chooseRanges, type RangeChoice } from './ranges/choose.ts'
import { isCalibrated, type QuantizeRequest } from './request.ts'

export interface Measured extends RangeChoice {
  readonly statistics: readonly TensorStatistics[]
}

/** Statistics of a model's activations, and ranges from them; nothing where nobody wants, or gave data. */
export async function measure(
  model: QuantizableModel,
  laboratory: Laboratory,
  request: QuantizeRequest,
  wish: CalibrationWish = {},
  wanted = isCalibrated(request.scheme),
): Promise<Measured> {
  const { calibration, onProgress } = request
  if (!wanted || calibration === undefined) {
    return { statistics: [], ranges: new Map(), unusable: new Map(), findings: [] }
  }
  const onSample = (done: number, total: number) => onProgress?.(done, total, 'calibrating')
  const seen = await calibrate(model, laboratory, calibration, onSample, wish)
  const choice = rangesFor(seen.statistics, model, request)
  const findings = [...seen.findings, ...choice.findings]
  return { statistics: seen.statistics, ...choice, findings }
}

/** As the scheme's codes and the options want them. */
export function rangesFor(
  statistics: readonly TensorStatistics[],
  { graph }: QuantizableModel,
  { scheme, options }: QuantizeRequest,
): RangeChoice {
  const steps = BASE_SCHEMES[scheme.base].activations === 'int16' ? 65534 : 255
  return chooseRanges(statistics, options?.ranges ?? 'auto', steps, graph)
}
