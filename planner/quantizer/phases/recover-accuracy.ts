import { sizeOf } from '../../../shared/tensors.ts'
import type { QuantizableModel } from '../../graph/index.ts'
import { learntRanges } from '../measure.ts'
import type { QuantizeOptions } from '../options.ts'
import type { Candidate } from '../recovery/candidate.ts'
import {
  RECOVERY_METHODS,
  RECOVERY_NAMES,
  type RecoveryMethod,
  recover,
} from '../recovery/recover.ts'
import { isCalibrated } from '../request.ts'
import type { Planned, Recovered } from './state.ts'

/** Weights beyond which recovery costs more than the calibration: only what helps nearly always is done unasked. */
const MOST_WEIGHED = 2 ** 23

/** Wins back what the first plan loses, by the methods that the options and the model allow. */
export async function recoverAccuracy(state: Planned): Promise<Recovered> {
  const { candidate, services, source, opened } = state
  const methods = recoveryMethods(source.options ?? {}, opened)
  const pointless = methods.length === 0 || candidate.plan.instructions.length === 0
  if (services.sqnr === null || !isCalibrated(source.scheme) || pointless) {
    return { ...state, steps: [] }
  }
  if (!services.thorough && weightsIn(candidate) > MOST_WEIGHED) {
    const corrected = await RECOVERY_METHODS['bias-correction'].run(candidate, services)
    return { ...state, candidate: corrected ?? candidate, steps: [] }
  }
  const onMethod = (done: number, total: number) =>
    source.onProgress?.(done, total, 'trying ways to win accuracy back')
  return { ...state, ...(await recover(candidate, methods, services, services.sqnr, onMethod)) }
}

/** Other methods would move what pruning made zero, clustering equal, and training fit for its ranges. */
const KEEPS_WEIGHTS: readonly RecoveryMethod[] = ['bias-correction', 'sequential-bias-correction']

function recoveryMethods(
  { recovery, compression }: QuantizeOptions,
  { graph }: QuantizableModel,
): readonly RecoveryMethod[] {
  const asked = recovery ?? RECOVERY_NAMES
  const settled = compression !== undefined || learntRanges(graph).size > 0
  return settled ? asked.filter((method) => KEEPS_WEIGHTS.includes(method)) : asked
}

function weightsIn({ model }: Candidate): number {
  const constants = model.graph.tensors.filter(({ constant }) => constant !== null)
  return constants.reduce((sum, { shape }) => sum + sizeOf(shape ?? []), 0)
}
