import { chooseProbers, fits, judgeOnHost, type Prober } from '../../probing/index.ts'
import type { Evaluation, Pipeline, Probe, Stage, Variant } from '../../storage/index.ts'
import type { CandidateView } from '../building/candidate-view.ts'
import {
  type MixedCandidate,
  mixedForAccuracy,
  mixedForLatency,
} from '../building/mixed-precision.ts'

/** How often a device is asked for one measurement before it counts as one that cannot make it. */
export const MOST_TRIES = 2

/** Failures that say something about the moment, not about the variant. */
const PASSING: ReadonlySet<string> = new Set([
  'cancelled',
  'restart-loop',
  'download-failed',
  'busy',
  'internal',
])

export interface PipelineView {
  readonly pipeline: Pipeline
  /** Null until this round's candidates are planned. */
  readonly candidates: readonly CandidateView[] | null
  readonly maxAccuracyDrop: number
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
  | { readonly kind: 'probe'; readonly variant: Variant; readonly device: string }
  | { readonly kind: 'give-up'; readonly probe: Probe }
  | { readonly kind: 'select' }
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
  const work = buildSteps(view.candidates)
  if (work.length > 0) return work
  const steps =
    added(mixedForAccuracy(view.candidates, view.maxAccuracyDrop)) ??
    probeSteps(view, readyOnes(view.candidates, view.maxAccuracyDrop))
  if (!steps.some(({ kind }) => kind === 'select')) return steps
  return added(mixedForLatency(view.candidates, view.probes)) ?? steps
}

function added(mixed: readonly MixedCandidate[]): readonly PipelineStep[] | undefined {
  if (mixed.length === 0) return undefined
  return mixed.map((mixed) => ({ kind: 'add-mixed', mixed }))
}

function buildSteps(candidates: readonly CandidateView[]): readonly PipelineStep[] {
  const open = candidates
    .filter(({ plan }) => plan.kept)
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

function probeSteps(view: PipelineView, ready: readonly Ready[]): readonly PipelineStep[] {
  if (ready.length === 0) return [{ kind: 'select' }]
  const overdue = view.probes.filter(
    ({ state, deadline }) => state === 'ordered' && new Date(deadline) <= view.now,
  )
  if (overdue.length > 0) return overdue.map((probe) => ({ kind: 'give-up', probe }))

  const able = view.devices.filter((device) => !isSpent(device, ready, view))
  const measured = view.probes.filter(({ state }) => state === 'measured')
  const choice = chooseProbers(able, new Set(measured.map(({ device }) => device)))
  if (choice.devices.length === 0) {
    if (able.length === 0 && view.devices.length > 0) return [{ kind: 'select' }]
    return [waiting(`waits for a device to measure on: ${choice.why}`, !view.settlingIn)]
  }
  const chosen = able.filter(({ device }) => choice.devices.includes(device))
  const open = chosen.map((device) => ({ device, left: leftOn(device, ready, view) }))
  if (open.every(({ left }) => left.length === 0)) return [{ kind: 'select' }]
  const orders = open.flatMap(({ device, left }): PipelineStep[] => {
    const [next] = left
    if (!next || view.measuring.has(device.device)) return []
    return [{ kind: 'probe', variant: next.variant, device: device.device }]
  })
  const room = Math.max(0, view.probesAtOnce - view.measuring.size)
  return [...orders.slice(0, room), waiting(describe(open, ready.length), false)]
}

/** Variants this device has still to answer for, in the order of the candidates. */
function leftOn(
  device: Prober,
  ready: readonly Ready[],
  { probes, dataBytes }: Pick<PipelineView, 'probes' | 'dataBytes'>,
): readonly Ready[] {
  return ready.filter(
    ({ variant }) =>
      fits(device, variant.bytes ?? 0, dataBytes) &&
      !isAnswered(device.device, variant.key, probes),
  )
}

function isAnswered(device: string, variant: string, probes: readonly Probe[]): boolean {
  const tries = probes.filter((probe) => probe.device === device && probe.variant === variant)
  if (
    tries.some(
      ({ state, error }) => state === 'measured' || (state === 'failed' && !isPassing(error)),
    )
  )
    return true
  return tries.filter(({ state }) => state !== 'ordered').length >= MOST_TRIES
}

/** A device that answered for everything it can hold and measured nothing is of no use to the others. */
function isSpent(
  device: Prober,
  ready: readonly Ready[],
  view: Pick<PipelineView, 'probes' | 'dataBytes'>,
): boolean {
  const own = view.probes.filter((probe) => probe.device === device.device)
  return leftOn(device, ready, view).length === 0 && !own.some(({ state }) => state === 'measured')
}

function isPassing(error: Probe['error']): boolean {
  return error !== null && PASSING.has(error.code)
}

function waiting(reason: string, stuck: boolean): PipelineStep {
  return { kind: 'wait', stage: 'probing', reason, stuck }
}

function describe(
  open: readonly { readonly device: Prober; readonly left: readonly Ready[] }[],
  all: number,
): string {
  return open
    .filter(({ left }) => left.length > 0)
    .map(
      ({ device, left }) =>
        `${device.device} measures ${left[0]?.variant.scheme} (${all - left.length + 1} of ${all})`,
    )
    .join(', ')
}
