import type { MetricFacts } from '../../../shared/metrics/index.ts'
import type { Candidate } from '../recovery/candidate.ts'
import type { MetricEvaluator } from './metric-evaluator.ts'
import {
  type Island,
  inFloat,
  integerShare,
  islandsBySensitivity,
  type Sensing,
} from './sensitivity.ts'

/** What it took to hold an accuracy budget. */
export interface BudgetReport {
  readonly metric: MetricFacts
  readonly samples: number
  /** What the float model reaches. */
  readonly float: number
  /** Hundredths of points that may be lost. */
  readonly maxDrop: number
  /** What the file reaches and loses that was written, and whether that is within the budget. */
  readonly value: number
  readonly drop: number
  readonly held: boolean
  /** Operators that it has in float for it, by name. */
  readonly inFloat: readonly string[]
  /** Whether somebody stopped the search. */
  readonly interrupted: boolean
  /** Everything quantized, then every mixture that was measured. */
  readonly steps: readonly BudgetStep[]
}

export interface BudgetStep {
  /** Operators in float, by name. */
  readonly inFloat: readonly string[]
  readonly value: number
  readonly drop: number
  readonly bytes: number
  /** Share of the arithmetic that is done on integers. */
  readonly integerShare: number
}

export interface BudgetServices extends Omit<Sensing, 'onTrial'> {
  readonly evaluator: MetricEvaluator
  /** The file as it would be written. */
  write(candidate: Candidate): Uint8Array
  onTrial(done: number, total: number, what: string): void
}

interface Trial extends BudgetStep {
  readonly candidate: Candidate
  readonly islands: readonly Island[]
}

/** Islands that are put back on integers again, in the end, to see whether the budget holds without them. */
const MOST_RETURNED = 8

/**
 * Puts operators back into float until the budget holds: by measured sensitivity, the most noise for the least work
 * first; then back on integers what was not needed for it. Where it never holds, what lost least is the answer; so it is
 * of what was measured where somebody stops the search.
 */
export async function holdBudget(
  start: Candidate,
  maxDrop: number,
  services: BudgetServices,
): Promise<{ readonly candidate: Candidate; readonly report: BudgetReport }> {
  const { evaluator, signal } = services
  const trials: Trial[] = [await tried(start, [], services)]
  const holds = () => trials.find(({ drop }) => drop <= maxDrop)
  if (holds() === undefined) {
    const onTrial = (done: number, total: number) =>
      services.onTrial(done, total, 'measuring what each part does')
    const islands = await islandsBySensitivity(start, { ...services, onTrial })
    const batches = growing(islands)
    const chosen: Island[] = []
    for (const [at, batch] of batches.entries()) {
      if (holds() !== undefined || signal?.aborted) break
      services.onTrial(at, batches.length, 'measuring mixtures')
      chosen.push(...batch)
      const trial = await tried(start, chosen, services)
      // What is left is the float model.
      if (trial.candidate.plan.instructions.length === 0) break
      trials.push(trial)
    }
    const held = holds()
    if (held !== undefined) trials.push(...(await returned(start, held, maxDrop, services)))
  }
  const best = bestOf(trials, maxDrop)
  return {
    candidate: best.candidate,
    report: {
      metric: factsOf(evaluator.metric),
      samples: evaluator.samples,
      float: evaluator.float,
      maxDrop,
      value: best.value,
      drop: best.drop,
      held: best.drop <= maxDrop,
      inFloat: best.inFloat,
      interrupted: signal?.aborted === true,
      steps: trials.map(({ candidate: _, islands: __, ...step }) => step),
    },
  }
}

/** Tries to do without each island again, those with most work first. */
async function returned(
  start: Candidate,
  held: Trial,
  maxDrop: number,
  services: BudgetServices,
): Promise<Trial[]> {
  const trials: Trial[] = []
  let islands = held.islands
  const byWork = [...islands].sort((a, b) => b.costs - a.costs).slice(0, MOST_RETURNED)
  for (const [at, island] of byWork.entries()) {
    if (services.signal?.aborted || islands.length < 2) break
    services.onTrial(at, byWork.length, 'measuring what can do without float')
    const fewer = islands.filter((one) => one !== island)
    const trial = await tried(start, fewer, services)
    trials.push(trial)
    if (trial.drop <= maxDrop) islands = fewer
  }
  return trials
}

async function tried(
  start: Candidate,
  islands: readonly Island[],
  services: BudgetServices,
): Promise<Trial> {
  const candidate = islands.length === 0 ? start : inFloat(start, islands, services)
  const file = services.write(candidate)
  return {
    candidate,
    islands: [...islands],
    inFloat: namesOf(islands, start),
    bytes: file.length,
    integerShare: integerShare(candidate),
    ...(await services.evaluator.reached(file)),
  }
}

/** Of those within the budget the one with most on integers; else the one that lost least. */
function bestOf(trials: readonly Trial[], maxDrop: number): Trial {
  const within = trials.filter(({ drop }) => drop <= maxDrop)
  const better = (a: Trial, b: Trial) =>
    within.length > 0 ? b.integerShare > a.integerShare : b.drop < a.drop
  const eligible = within.length > 0 ? within : trials
  return eligible.reduce((best, trial) => (better(best, trial) ? trial : best))
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

function factsOf({ text, direction, unit }: MetricFacts): MetricFacts {
  return { text, direction, unit }
}
