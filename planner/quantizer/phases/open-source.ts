import { printScheme } from '../../../shared/schemes.ts'
import type { QuantizableModel } from '../../graph/index.ts'
import { QuantizerError } from '../errors.ts'
import { learntRanges } from '../measure.ts'
import { openModel, refuseIdleSelectors } from '../open.ts'
import { isCalibrated, type QuantizeRequest } from '../request.ts'
import type { Opened, SourceCompressed } from './state.ts'

/** @throws QuantizerError `source-refused`, `calibration-missing`, `nothing-selected`, or the format's own */
export async function openSource(state: SourceCompressed): Promise<Opened> {
  const opened = state.asGiven ?? (await openModel(state.source))
  refuseMissingCalibration(opened, state.request)
  refuseIdleSelectors(opened, state.request)
  return { ...state, opened }
}

function refuseMissingCalibration(
  { graph }: QuantizableModel,
  { scheme, calibration, options = {} }: QuantizeRequest,
): void {
  if (options.minSqnrDb !== undefined && (calibration ?? options.budget?.test) === undefined) {
    throw new QuantizerError(
      'calibration-missing',
      '--min-sqnr compares outputs on samples: give some with --calibration',
    )
  }
  if (!isCalibrated(scheme) || calibration !== undefined) return
  if (learntRanges(graph).size > 0) return
  throw new QuantizerError(
    'calibration-missing',
    `scheme ${printScheme(scheme)} needs calibration data: give some samples of the model's inputs`,
  )
}
