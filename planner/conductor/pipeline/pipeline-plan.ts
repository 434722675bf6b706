import {
  type Entrant,
  evidenceOf,
  judgeOnHost,
  type MatchOrder,
  type Prior,
  type Prober,
  planTournament,
  type TournamentStep,
  type TournamentView,
} from '../../probing/index.ts'
import type { SelectionInput } from '../../selection/index.ts'
import type { Evaluation, Pipeline, Probe, Stage, Variant } from '../../storage/index.ts'
import { targetOf } from '../../targets/index.ts'
import type { CandidateView } from '../building/candidate-view.ts'
import {
  type MixedCandidate,
  mixedForAccuracy,
  mixedForLatency,
} from '../building/mixed-precision.ts'
import { type Contenders, contendersOf, playedBy } from './contenders.ts'

export interface PipelineView {
  readonly pipeline: Pipeline
  /** Null until this round's candidates are planned. */
  readonly candidates: readonly CandidateView[] | null
  /** What the choice is made by. */
  readonly rules: Pick<SelectionInput, 'constraints' | 'objective' | 'room' | 'incumbent'>
  /** The operator ships on records of disturbed measurements. */
  readonly acceptNoise: boolean
  /** What was learnt from other models. */
  readonly prior?: Prior | undefined
  /** What wins is also measured for long. */
  readonly soak?: boolean
  /** Several may be measured by one order. */
  readonly fields?: boolean
  /** Of this round, oldest first. */
  readonly probes: readonly Probe[]
  readonly devices: readonly Prober[]
  /** Devices that measure something just now, for this or another model. */
  readonly measuring: ReadonlySet<string>
  /** Probes that may be under way at a time. */
  readonly probesAtOnce: number
  /** Of the test data that a probe needs beside the variant. */
  readonly dataBytes: number
  readonly hasSelection: boolean
  /** The planner just started: devices that seem offline may be about to say birth. */
  readonly settlingIn: boolean
  readonly now: Date
}

export type PipelineStep =
  | { readonly kind: 'plan-candidates' }
  | { readonly kind: 'add-mixed'; readonly mixed: MixedCandidate }
  | { readonly kind: 'build' | 'evaluate'; readonly variant: Variant }
  | ({ readonly kind: 'probe' } & MatchOrder)
  | { readonly kind: 'give-up'; readonly probe: Probe }
  /** `spared`: candidates that were not measured because they could not win, by key, with why. */
  | { readonly kind: 'select'; readonly spared: ReadonlyMap<string, string> }
  | {
      readonly kind: 'wait'
      readonly stage: Stage
      readonly reason: string
      readonly stuck: boolean
    }

/** A variant that can be sent to devices: built, and answered well enough on this host. */
export interface Ready {
  readonly variant: Variant
  readonly evaluation: Evaluation
}

/**
 * What one model does next for one class. Pure, and nothing of it is remembered: a planner that was killed
 * comes to the same steps from the same database.
 */
export function planPipeline(view: PipelineView): readonly PipelineStep[] {
  if (view.hasSelection) return []
  if (view.candidates === null) return [{ kind: 'plan-candidates' }]
  const { candidates } = view
  const { maxAccuracyDrop } = view.rules.constraints
  const { active, spared, isTold } = contendersOf(candidates, view.probes, view.rules, (first) =>
    buildSteps(first).length > 0 ? undefined : playedBy(entrantsAmong(first, view), rulesIn(view)),
  )
  const overdue = view.probes.filter(
    ({ state, deadline }) => state === 'ordered' && new Date(deadline) <= view.now,
  )
  if (overdue.length > 0) return overdue.map((probe) => ({ kind: 'give-up', probe }))
  // Whatever is worth a build once the first are told apart is built at one time, and measured in turns.
  const mixed = isTold ? added(mixedToWin(view, candidates, active)) : undefined
  if (mixed !== undefined) return mixed
  const work = buildSteps(active)
  if (work.length > 0) return [...heatsBeside(active, view), ...work]
  return (
    added(mixedForAccuracy(candidates, maxAccuracyDrop)) ??
    probeSteps(view, entrantsAmong(active, view), spared)
  )
}

/** Mixed precision for those that are slow on integers, where it could still win. */
function mixedToWin(
  view: PipelineView,
  candidates: readonly CandidateView[],
  active: readonly CandidateView[],
): readonly MixedCandidate[] {
  const { probes, acceptNoise, rules } = view
  const { measured, duels } = evidenceOf(entrantsAmong(active, view), probes, acceptNoise)
  const input = { ...rules, candidates: measured, duels }
  return mixedForLatency(candidates, probes, acceptNoise, input)
}

function entrantsAmong(
  candidates: readonly CandidateView[],
  { rules }: PipelineView,
): readonly Entrant[] {
  return entrantsOf(readyOnes(candidates, rules.constraints.maxAccuracyDrop), candidates)
}

/** The tournament's view of all but who is in it. */
function rulesIn(view: PipelineView): Omit<TournamentView, 'entrants'> {
  return { ...view, attempts: view.probes }
}

/**
 * Who is built need not wait for the others. A device that shares this machine would measure the builds too: it waits for
 * them, unless disturbance was accepted; then nothing is measured beside them.
 */
function heatsBeside(
  candidates: readonly CandidateView[],
  view: PipelineView,
): readonly PipelineStep[] {
  if (view.acceptNoise) return []
  const entrants = entrantsAmong(candidates, view)
  const isHere = (key: string) => entrants.some((one) => one.key === key)
  const toCome = candidates.filter(
    ({ plan, variant }) =>
      plan.scheme === 'float32' && variant && variant.state !== 'failed' && !isHere(variant.key),
  )
  const measurable = entrants.filter(
    ({ runtime }) => !toCome.some(({ plan }) => plan.runtime === targetOf(runtime).runtime),
  )
  const step = planTournament({ ...rulesIn(view), entrants: measurable, building: true })
  return step.kind === 'measure' ? ordersOf(step, view) : []
}

function added(mixed: readonly MixedCandidate[]): readonly PipelineStep[] | undefined {
  if (mixed.length === 0) return undefined
  return mixed.map((mixed) => ({ kind: 'add-mixed', mixed }))
}

function buildSteps(candidates: readonly CandidateView[]): readonly PipelineStep[] {
  const open = candidates
    .filter(({ plan }) => plan.kept)
    // What the others are measured beside comes first.
    .toSorted((a, b) => Number(b.plan.scheme === 'float32') - Number(a.plan.scheme === 'float32'))
    .flatMap((candidate) => workOn(candidate) ?? [])
  if (open.length === 0) return []
  const names = open.map(({ variant }) => variant.scheme).join(', ')
  const reason = `to be built and checked on this host: ${names}`
  return [...open, { kind: 'wait', stage: 'building', reason, stuck: false }]
}

function workOn({
  variant,
  evaluation,
}: CandidateView): { kind: 'build' | 'evaluate'; variant: Variant } | undefined {
  if (!variant || variant.state === 'failed') return undefined
  if (variant.state !== 'built') return { kind: 'build', variant }
  return evaluation ? undefined : { kind: 'evaluate', variant }
}

/**
 * Candidates that go to devices. Those that lose too much on this host stay; unless all do: then the
 * nearest to the budget goes, so that the operator sees what is possible.
 */
export function readyOnes(
  candidates: readonly CandidateView[],
  maxAccuracyDrop: number,
): readonly Ready[] {
  const built = candidates.flatMap(({ plan, variant, evaluation }) =>
    plan.kept && variant?.state === 'built' && evaluation ? [{ variant, evaluation }] : [],
  )
  const judged = built.map((ready) => ({
    ready,
    verdict: judgeOnHost(ready.evaluation.whole, maxAccuracyDrop),
  }))
  const sent = judged.filter(({ verdict }) => verdict.send).map(({ ready }) => ready)
  if (sent.length > 0 || judged.length === 0) return sent
  const dropOf = ({ verdict }: (typeof judged)[number]) => (verdict.send ? 0 : verdict.drop)
  return [judged.reduce((a, b) => (dropOf(b) < dropOf(a) ? b : a)).ready]
}

/** The candidates that devices measure, each with the float32 that people see it beside. */
export function entrantsOf(
  ready: readonly Ready[],
  candidates: readonly CandidateView[],
): readonly Entrant[] {
  return ready.map(
    ({ variant: { key, scheme, runtime, bytes }, evaluation: { whole, slice } }) => ({
      key,
      scheme,
      runtime,
      bytes: bytes ?? 0,
      yardstick: yardstickFor(runtime, candidates),
      host: { whole, slice },
    }),
  )
}

/**
 * float32 on the same runtime and delegate; where the delegate takes no float, on the same runtime without it. Anything
 * else would compare runtimes, and call it quantization.
 */
function yardstickFor(
  target: Variant['runtime'],
  candidates: readonly CandidateView[],
): string | null {
  const floatOn = (name: string) =>
    candidates.find(
      ({ plan, variant }) =>
        plan.scheme === 'float32' && plan.runtime === name && variant?.state === 'built',
    )?.variant?.key
  return floatOn(target) ?? floatOn(targetOf(target).runtime) ?? null
}

function probeSteps(
  view: PipelineView,
  entrants: readonly Entrant[],
  spared: Contenders['spared'],
): readonly PipelineStep[] {
  const reasons = new Map(
    [...spared].flatMap(([{ variant }, why]) => (variant ? [[variant.key, why] as const] : [])),
  )
  const select = { kind: 'select', spared: reasons } as const
  if (entrants.length === 0) return [select]
  const step = planTournament({ ...rulesIn(view), entrants })
  if (step.kind === 'over') return [select]
  if (step.kind === 'wait') return [waiting(step.waiting, step.stuck)]
  return [...ordersOf(step, view), waiting(step.waiting, false)]
}

function ordersOf(
  { orders }: Extract<TournamentStep, { kind: 'measure' }>,
  { probesAtOnce, measuring }: PipelineView,
): readonly PipelineStep[] {
  const room = Math.max(0, probesAtOnce - measuring.size)
  return orders.slice(0, room).map((order) => ({ kind: 'probe', ...order }))
}

function waiting(reason: string, stuck: boolean): PipelineStep {
  return { kind: 'wait', stage: 'probing', reason, stuck }
}
