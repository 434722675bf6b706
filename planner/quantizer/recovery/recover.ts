import type { TensorStatistics } from '../calibrate/statistics.ts'
import { correctBiases } from './bias-correction.ts'
import { equalize } from './equalization/equalize.ts'
import type { Gauge } from './gauge.ts'
import { optimiseRounding } from './rounding/rounding.ts'
import { type RecoveryRun, revised, type Subject, type Tools } from './subject.ts'

interface RecoveryMethodRow {
  readonly run: RecoveryRun
  /** Whether it runs where nobody chose: it costs little beside calibration. */
  readonly usual: boolean
}

/** Ways to win accuracy back after a first plan, in the order in which they help each other. */
export const RECOVERY_METHODS = {
  equalization: { usual: true, run: equalize },
  rounding: {
    usual: false,
    run: async (subject, tools) => {
      const moments = subject.statistics.flatMap((one) => one.moments)
      const revisions = optimiseRounding(subject.plan, subject.request, moments)
      return revisions.size === 0 ? null : revised(subject, revisions, tools)
    },
  },
  'bias-correction': {
    usual: true,
    run: async (subject, tools) => {
      const means = meansOf(subject.statistics)
      const revisions = correctBiases(subject.plan, subject.request, means)
      return revisions.size === 0 ? null : revised(subject, revisions, tools)
    },
  },
} as const satisfies Record<string, RecoveryMethodRow>

export type RecoveryMethod = keyof typeof RECOVERY_METHODS

export const RECOVERY_NAMES = Object.keys(RECOVERY_METHODS) as RecoveryMethod[]
export const USUAL_RECOVERY = RECOVERY_NAMES.filter((name) => RECOVERY_METHODS[name].usual)

/** What one method did for the model's outputs, measured in its runtime. */
export interface RecoveryStep {
  readonly method: RecoveryMethod
  /** Signal to quantization noise of the outputs, dB. */
  readonly sqnrDbBefore: number
  /** The same as before where the method found nothing to improve. */
  readonly sqnrDbAfter: number
  /** Only what helps stays. */
  readonly kept: boolean
}

/** Applies the methods one after the other; each stays only where the outputs come nearer to the float model's. */
export async function recover(
  start: Subject,
  methods: readonly RecoveryMethod[],
  tools: Tools,
  gauge: Gauge,
): Promise<{ readonly subject: Subject; readonly steps: readonly RecoveryStep[] }> {
  let subject = start
  let before = methods.length === 0 ? 0 : await gauge.sqnrDb(start)
  const steps: RecoveryStep[] = []
  for (const method of RECOVERY_NAMES.filter((name) => methods.includes(name))) {
    const next = await RECOVERY_METHODS[method].run(subject, tools)
    const after = next === null ? before : await gauge.sqnrDb(next)
    const kept = next !== null && after > before
    steps.push({ method, sqnrDbBefore: before, sqnrDbAfter: after, kept })
    if (next === null || !kept) continue
    subject = next
    before = after
  }
  return { subject, steps }
}

export function meansOf(statistics: readonly TensorStatistics[]): Map<number, Float64Array> {
  return new Map(
    statistics.flatMap(({ tensor, channels }) =>
      channels === null ? [] : [[tensor, channels.means]],
    ),
  )
}
