import type { Finding } from '../../../shared/findings.ts'
import { formatPercent } from '../../../shared/units.ts'
import type { Gauge } from '../recovery/gauge.ts'
import type { Subject, Tools } from '../recovery/subject.ts'
import type { Examiner, Metric } from './examiner.ts'
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

export interface BudgetTools extends Pick<Tools, 'plan'> {
  readonly gauge: Gauge
  readonly examiner: Examiner
  /** The file as it would be written. */
  write(subject: Subject): Uint8Array
  onTrial(done: number, total: number): void
}

/**
 * Puts operators back into float until the budget holds: by measured sensitivity, the most error for the least work
 * first. Where it never holds, what lost least is the answer.
 */
export async function holdBudget(
  start: Subject,
  maxDrop: number,
  tools: BudgetTools,
): Promise<{ readonly subject: Subject; readonly report: BudgetReport }> {
  const { examiner } = tools
  let best = { subject: start, drop: await examiner.drop(tools.write(start)) }
  const steps: BudgetStep[] = [{ inFloat: [], drop: best.drop }]
  const islands =
    best.drop <= maxDrop ? [] : await islandsBySensitivity(start, tools.gauge, tools, tools.onTrial)
  const chosen: Island[] = []
  for (const batch of growing(islands)) {
    if (best.drop <= maxDrop) break
    chosen.push(...batch)
    const subject = inFloat(start, chosen, tools)
    // What is left is the float model.
    if (subject.plan.instructions.length === 0) break
    const drop = await examiner.drop(tools.write(subject))
    steps.push({ inFloat: namesOf(chosen, start), drop })
    if (drop < best.drop) best = { subject, drop }
  }
  const { metric, samples } = examiner
  const held = best.drop <= maxDrop
  return {
    subject: best.subject,
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

function namesOf(islands: readonly Island[], { request }: Subject): string[] {
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
