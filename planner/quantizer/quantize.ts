import { availableParallelism } from 'node:os'
import type { Dataset } from '../../shared/dataset/index.ts'
import type { CodeForms } from '../graph/index.ts'
import { type Target, targetOf } from '../targets/index.ts'
import { codeFormsOf } from './code-forms.ts'
import { InferencePool } from './inference-pool/inference-pool.ts'
import type { LoadWishes } from './inference-pool/messages.ts'
import { openModel } from './open.ts'
import { compressSource } from './phases/compress-source.ts'
import { holdAccuracy } from './phases/hold-accuracy.ts'
import { judgeOutputs } from './phases/judge-outputs.ts'
import { measureRanges } from './phases/measure-ranges.ts'
import { openSource } from './phases/open-source.ts'
import { performPlan } from './phases/perform-plan.ts'
import { Phases } from './phases/phase.ts'
import { planFirst } from './phases/plan-first.ts'
import { recoverAccuracy } from './phases/recover-accuracy.ts'
import { reportResult } from './phases/report-result.ts'
import { spareLost } from './phases/spare-lost.ts'
import { spareSaturating } from './phases/spare-saturating.ts'
import { verifyFile } from './phases/verify-file.ts'
import type { QuantizeOrder } from './request.ts'
import type { QuantizeResult } from './result.ts'

const PHASES = Phases.first(compressSource)
  .next(openSource)
  .next(measureRanges)
  .next(planFirst)
  .next(spareLost)
  .next(recoverAccuracy)
  .next(spareSaturating)
  .next(holdAccuracy)
  .next(performPlan)
  .next(verifyFile)
  .next(judgeOutputs)
  .next(reportResult)

/**
 * Quantizes a model by a scheme. Nothing is written anywhere.
 * @throws QuantizerError, DatasetError, or the format's own error where the bytes are no model.
 */
export async function quantize({ calibration, ...order }: QuantizeOrder): Promise<QuantizeResult> {
  // What is pruned or clustered is opened anew.
  const opening = order.options?.compression === undefined ? openModel(order) : null
  const reading = Promise.resolve(calibration)
  // Both go on while the pool starts, and are told of below: the model first.
  opening?.catch(() => {})
  reading.catch(() => {})
  const target = targetOf(order.target)
  const forms = codeFormsOf(order.scheme, order.options ?? {}, target)
  const copies = await copiesFor(target, order.model, reading)
  const { engine } = order
  const task = { format: target.format, ...(engine && { engine }) }
  const pool = new InferencePool(task, copies, usualWishes(forms))
  try {
    const asGiven = await opening
    const samples = await reading
    const request = samples === undefined ? order : { ...order, calibration: samples }
    return await PHASES.run({ request, target, forms, pool, asGiven })
  } finally {
    await pool.close()
  }
}

/** Recovery learns from what it measures: it must not fit a model to sums that this host alone cuts off. */
function usualWishes({ weightBits }: CodeForms): LoadWishes {
  return weightBits === 8 ? { wideSums: true } : {}
}

/** A second copy takes as long to start as some samples take to run, and as much memory as the first. */
const WORTH_TWO_COPIES = { samples: 64, modelBytes: 2 ** 25 }

async function copiesFor(
  { defaultThreads }: Target,
  model: Uint8Array,
  reading: Promise<Dataset | undefined>,
): Promise<1 | 2> {
  const able = defaultThreads === 1 && model.length <= WORTH_TWO_COPIES.modelBytes
  if (!able || availableParallelism() === 1) return 1
  const count = await reading.then(
    (data) => data?.samples ?? 0,
    () => 0,
  )
  return count >= WORTH_TWO_COPIES.samples ? 2 : 1
}
