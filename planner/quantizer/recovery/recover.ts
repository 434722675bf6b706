import type { TensorStatistics } from '../observers/statistics.ts'
import { correctBiases } from './bias-correction.ts'
import { type Candidate, type RecoveryRun, revised, type Services } from './candidate.ts'
import { equalize } from './equalization/equalize.ts'
import { optimiseRounding, roundedWeights } from './rounding/rounding.ts'
import { correctSequentially } from './sequential.ts'
import type { SqnrEvaluator } from './sqnr-evaluator.ts'
import { shiftsShare, type Worth, wonByCodes } from './worth.ts'

/** When a method runs that nobody chose: it costs little beside calibration, or much noise is left for it. */
type Occasion = 'usual' | 'noisy'

interface RecoveryMethodRow {
  readonly run: RecoveryRun
  readonly occasion: Occasion
  /** Methods that move weights, or what they multiply, are judged with biases corrected behind them. */
  readonly moves: 'weights' | 'biases'
  /** A cheap estimate for those that take long; one that promises too little is not tried, unless somebody chose it. */
  readonly worth?: { readonly likely: Worth; readonly leastDb: number }
}

/** Noise of a fortieth of the signal: the answers of such models begin to change. */
const NOISY_DB = 32

/** Ways to win accuracy back after a first plan, in the order in which they help each other. */
export const RECOVERY_METHODS = {
  equalization: { occasion: 'usual', moves: 'weights', run: equalize },
  rounding: {
    occasion: 'noisy',
    moves: 'weights',
    run: roundBetter,
    // Second moments cost as much as calibration: of eight networks with less promised, seven won 0.6 dB or nothing.
    worth: { likely: wonByCodes, leastDb: 1 },
  },
  'bias-correction': { occasion: 'usual', moves: 'biases', run: correct },
  'sequential-bias-correction': {
    occasion: 'noisy',
    moves: 'biases',
    run: correctSequentially,
    worth: { likely: shiftsShare, leastDb: 0.7 },
  },
} as const satisfies Record<string, RecoveryMethodRow>

async function correct(candidate: Candidate, services: Services): Promise<Candidate | null> {
  const means = meansOf(candidate.statistics)
  const revisions = correctBiases(candidate.plan, candidate.request, means)
  return revisions.size === 0 ? null : revised(candidate, revisions, services)
}

async function roundBetter(candidate: Candidate, services: Services): Promise<Candidate | null> {
  const { plan, request } = candidate
  const products = new Set(roundedWeights(plan, request).map(({ operator }) => operator.id))
  if (products.size === 0) return null
  const seen = await services.observe(candidate.model, { moments: products })
  const moments = seen.flatMap((one) => one.moments)
  const revisions = optimiseRounding(plan, request, moments)
  return revisions.size === 0 ? null : revised(candidate, revisions, services)
}

export type RecoveryMethod = keyof typeof RECOVERY_METHODS

export const RECOVERY_NAMES = Object.keys(RECOVERY_METHODS) as RecoveryMethod[]
export const USUAL_RECOVERY = RECOVERY_NAMES.filter(
  (name) => RECOVERY_METHODS[name].occasion === 'usual',
)

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
  start: Candidate,
  methods: readonly RecoveryMethod[],
  services: Services,
  sqnr: SqnrEvaluator,
  onMethod: (done: number, total: number) => void = () => {},
): Promise<{ readonly candidate: Candidate; readonly steps: readonly RecoveryStep[] }> {
  const chosen = RECOVERY_NAMES.filter((name) => methods.includes(name))
  if (chosen.length === 0) return { candidate: start, steps: [] }
  const corrects = chosen.includes('bias-correction')
  const trials = { services, sqnr, finish: corrects ? remembered(correct) : async () => null }
  const steps: RecoveryStep[] = []
  let candidate = start
  let reached = await sqnr.sqnrDb((await trials.finish(start, services)) ?? start)
  for (const [at, method] of chosen.entries()) {
    onMethod(at, chosen.length)
    if (!services.thorough && !(await isWorthIt(method, candidate, reached, trials))) continue
    const { before, after, next } = await tryOut(method, candidate, reached, trials)
    const kept = next !== null && after > before
    steps.push({ method, sqnrDbBefore: before, sqnrDbAfter: after, kept })
    if (kept) candidate = next
    reached = kept ? after : before
  }
  onMethod(chosen.length, chosen.length)
  return { candidate, steps }
}

/** Of methods that nobody chose. */
async function isWorthIt(
  method: RecoveryMethod,
  candidate: Candidate,
  reached: number,
  { services, sqnr, finish }: Trials,
): Promise<boolean> {
  const { worth, moves, occasion }: RecoveryMethodRow = RECOVERY_METHODS[method]
  if (occasion === 'noisy' && reached >= NOISY_DB) return false
  if (worth === undefined) return true
  const judged =
    moves === 'weights' ? ((await finish(candidate, services)) ?? candidate) : candidate
  return (await worth.likely(judged, services, sqnr)) >= worth.leastDb
}

interface Trials {
  readonly services: Services
  readonly sqnr: SqnrEvaluator
  /** What will correct the biases in the end. */
  readonly finish: RecoveryRun
}

async function tryOut(
  method: RecoveryMethod,
  candidate: Candidate,
  reached: number,
  { services, sqnr, finish }: Trials,
): Promise<{ before: number; after: number; next: Candidate | null }> {
  const { run, moves } = RECOVERY_METHODS[method]
  // What is reached with corrected biases is known already.
  if (run === correct) {
    const next = await finish(candidate, services)
    return { before: await sqnr.sqnrDb(candidate), after: reached, next }
  }
  const next = await run(candidate, services)
  if (next === null) return { before: reached, after: reached, next }
  const judged = moves === 'weights' ? ((await finish(next, services)) ?? next) : next
  return { before: reached, after: await sqnr.sqnrDb(judged), next }
}

/** The same candidate is finished before each estimate and each trial. */
function remembered(run: RecoveryRun): RecoveryRun {
  const known = new WeakMap<Candidate, ReturnType<RecoveryRun>>()
  return (candidate, services) => {
    const found = known.get(candidate) ?? run(candidate, services)
    known.set(candidate, found)
    return found
  }
}

export function meansOf(statistics: readonly TensorStatistics[]): Map<number, Float64Array> {
  return new Map(
    statistics.flatMap(({ tensor, channels }) =>
      channels === null ? [] : [[tensor, channels.means]],
    ),
  )
}
