import type { Model, Probe, StoredSelection, TracedBuild } from '../storage/index.ts'
import { type Span, spanIdOf, traceIdOf } from './otlp.ts'

/** All that came of planning a model for a class. */
export interface PlanStory {
  readonly fleet: string
  readonly model: Model
  readonly selection: StoredSelection
  /** When it began. */
  readonly since: string
  readonly builds: readonly TracedBuild[]
  /** Of its class and round. */
  readonly probes: readonly Probe[]
}

type Named = Pick<StoredSelection, 'model' | 'class' | 'round' | 'seq'>

/** The root of a plan's trace: what a rollout follows from. */
export function planRoot(fleet: string, { model, class: classId, round, seq }: Named) {
  const traceId = traceIdOf(fleet, 'plan', model, classId, round, seq)
  return { traceId, spanId: spanIdOf(traceId, 'plan') }
}

/** Build → probe → selection of one model for one class. Builds that were there before are of another plan. */
export function planTrace(story: PlanStory): Span[] {
  const { fleet, model, selection } = story
  const { traceId, spanId: parentSpanId } = planRoot(fleet, selection)
  const end = Date.parse(selection.createdAt)
  const since = Date.parse(story.since)
  const subject = {
    'fitment.model': model.name,
    'fitment.revision': model.revision,
    'fitment.class': selection.class,
  }
  const child = (name: string, key: string, rest: Omit<Span, 'traceId' | 'spanId' | 'name'>) => ({
    ...{ traceId, spanId: spanIdOf(traceId, name, key), parentSpanId, name },
    ...rest,
  })
  const builds = story.builds.flatMap((build) => {
    const to = Date.parse(build.builtAt ?? '')
    if (!(to >= since && to <= end)) return []
    return child('build', build.variant, {
      ...{ from: to - (build.buildMs ?? 0), to },
      attributes: {
        ...subject,
        ...{ 'fitment.scheme': build.scheme, 'fitment.target': build.target },
        'fitment.variant': build.variant,
      },
      error: build.state === 'failed' ? (build.error ?? 'failed') : undefined,
    })
  })
  const probes = story.probes.map((probe) =>
    child('probe', probe.id, {
      from: Date.parse(probe.orderedAt),
      to: Date.parse(probe.finishedAt ?? selection.createdAt),
      attributes: {
        ...subject,
        ...{ 'fitment.device': probe.device, 'fitment.variant': probe.variant },
        ...{ 'fitment.state': probe.state, 'fitment.round': probe.round },
        'fitment.latency.p50_ms': probe.record?.latency.p50Ms,
      },
      error: ['failed', 'lost'].includes(probe.state)
        ? (probe.error?.message ?? probe.state)
        : undefined,
    }),
  )
  const from = Math.min(end, ...[...builds, ...probes].map((span) => span.from))
  const { winner, why } = selection.selection
  const root = {
    ...planRoot(fleet, selection),
    ...{ name: `plan ${model.name}`, from, to: end },
    attributes: {
      ...subject,
      ...{ 'fitment.round': selection.round, 'fitment.winner': winner, 'fitment.why': why },
      ...{ 'fitment.builds': builds.length, 'fitment.probes': probes.length },
    },
    ...(winner === null && { error: why }),
  }
  return [root, ...builds, ...probes]
}
