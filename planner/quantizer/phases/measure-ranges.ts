import { measure } from '../measure.ts'
import { studyWeights } from '../plan/static/study.ts'
import { isCalibrated } from '../request.ts'
import type { Opened, RangesMeasured } from './state.ts'

/** Calibrates and chooses ranges; what plans ask of weights is found out beside, while the runtime is at work. */
export async function measureRanges(state: Opened): Promise<RangesMeasured> {
  const { opened, pool, source, forms } = state
  const measured = await measure(opened, pool, source, isCalibrated(source.scheme), (signal) =>
    studyWeights(opened.graph, forms, signal),
  )
  return { ...state, measured }
}
