import type { Finding } from '../../../shared/findings.ts'
import { formatPercent } from '../../../shared/units.ts'
import type { Candidate, Services } from '../recovery/candidate.ts'
import type { SqnrEvaluator } from '../recovery/sqnr-evaluator.ts'
import type { Metric, MetricEvaluator } from './metric-evaluator.ts'
import { type Island, inFloat, islandsBySensitivity } from './sensitivity.ts'

/** What it took to hold an accuracy budget. */
export interface BudgetReport {
  readonly metric: Metric
  readonly samples: number
  /** Share of the samples that may be lost. */
  readonly maxDrop: number
  /** What the file loses that was written, and whether that is within the budget. */
  readonly drop: number
  readonly held: boolean
  /** What was lost with everything quantized, then with one island more each time. */
  readonly steps: readonly BudgetStep[]
}

export interface BudgetStep {
  /** Operators in float, by name. */
  readonly inFloat: readonly string[]
  readonly drop: number
}

export interface BudgetServices extends Pick<Services, 'plan'> {
  readonly sqnr: SqnrEvaluator
  readonly evaluator: MetricEvaluator
  /** The file as it would be written. */
  write(candidate: Candidate): Uint8Array
  onTrial(done: number, total: number): void
}

/**
 * Puts operators back into float until the budget holds: by measured sensitivity, the most error for the least work
 * first. Where it never holds, what lost least is the answer.
 */
export async function holdBudget(
  start: Candidate,
  maxDrop: number,
  services: BudgetServices,
): Promise<{ readonly candidate: Candidate; readonly report: BudgetReport }> {
  const { evaluator } = services
  let best = { candidate: start, drop: await evaluator.drop(services.write(start)) }
  const steps: BudgetStep[] = [{ inFloat: [], drop: best.drop }]
  const islands =
    best.drop <= maxDrop
      ? []
      : await islandsBySensitivity(start, services.sqnr, services, services.onTrial)
  const chosen: Island[] = []
  for (const batch of growing(islands)) {
    if (best.drop <= maxDrop) break
    chosen.push(...batch)
    const candidate = inFloat(start, chosen, services)
    // What is left is the float model.
    if (candidate.plan.instructions.length === 0) break
    const drop = await evaluator.drop(services.write(candidate))
    steps.push({ inFloat: namesOf(chosen, start), drop })
    if (drop < best.drop) best = { candidate, drop }
  }
  const { metric, samples } = evaluator
  const held = best.drop <= maxDrop
  return {
    candidate: best.candidate,
    report: { metric, samples, maxDrop, drop: best.drop, held, steps },
  }
}

/** One by one at first, then more at a time: asking the test samples takes longest. */
function growing(islands: readonly Island[]): Island[][] {
  const batches: Island[][] = []
  for (let at = 0; at < islands.length; ) {
    const size = Math.max(1, Math.floor(at / 3))
    batches.push(islands.slice(at, at + size))
    at += size
  }
  return batches
}

function namesOf(islands: readonly Island[], { request }: Candidate): string[] {
  const operators = new Set(islands.flatMap((island) => island.operators))
  return [...operators].map((id) => request.graph.operators[id]?.name ?? '')
}

export function budgetFinding(report: BudgetReport): Finding {
  const { metric, samples, maxDrop, drop, held, steps } = report
  const lost = `${formatPercent(Math.max(0, drop))} of ${metric} is lost on ${samples} samples, ${formatPercent(maxDrop)} may be`
  const everything = formatPercent(Math.max(0, steps[0]?.drop ?? 0))
  if (held && steps.length === 1) {
    return { code: 'budget-held', severity: 'info', message: `${lost}: all stays quantized` }
  }
  return held
    ? {
        code: 'budget-held',
        severity: 'info',
        message: `${lost}: with everything quantized it was ${everything}`,
      }
    : {
        code: 'budget-missed',
        severity: 'warning',
        message: `${lost}: this is the best of ${steps.length} mixtures (everything quantized loses ${everything}); allow more, use static-w8a16 or float16, or give better calibration samples`,
      }
}
