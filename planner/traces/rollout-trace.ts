import type { AuditEntry, Model, Rollout, StoredSelection, TracedMember } from '../storage/index.ts'
import { type Span, spanIdOf, traceIdOf } from './otlp.ts'
import { planRoot } from './plan-trace.ts'

/** A rollout that came to an end. */
export interface RolloutStory {
  readonly fleet: string
  readonly rollout: Rollout
  /** How it ended, and when. */
  readonly state: string
  readonly endedAt: string
  readonly model: Model | undefined
  readonly selection: StoredSelection | undefined
  /** Its moves in the audit, oldest first. */
  readonly moves: readonly AuditEntry[]
  readonly members: readonly TracedMember[]
  /** More than are told one by one. */
  readonly devices: number
}

/** Rollout → waves → devices. */
export function rolloutTrace(story: RolloutStory): Span[] {
  const { fleet, rollout, model, selection } = story
  const traceId = traceIdOf(fleet, 'rollout', rollout.id, story.endedAt)
  const rootId = spanIdOf(traceId, 'rollout')
  const subject = {
    'fitment.model': rollout.modelName,
    'fitment.revision': model?.revision,
    'fitment.class': rollout.class,
  }
  const isBad = story.state === 'aborted'
  const root: Span = {
    ...{ traceId, spanId: rootId, name: `rollout ${rollout.modelName}` },
    ...{ from: Date.parse(rollout.createdAt), to: Date.parse(story.endedAt) },
    attributes: {
      ...subject,
      ...{ 'fitment.rollout': rollout.id, 'fitment.state': story.state },
      ...{ 'fitment.devices': story.devices, 'fitment.why': rollout.reason },
    },
    error: isBad ? rollout.reason || 'aborted' : undefined,
    ...(selection && { links: [planRoot(fleet, selection)] }),
  }
  const waves = wavesOf(story).map(
    ({ number, from, to }): Span => ({
      ...{ traceId, spanId: spanIdOf(traceId, 'wave', number), parentSpanId: rootId },
      ...{ name: `wave ${number + 1}`, from, to },
      attributes: {
        ...{ ...subject, 'fitment.wave': number + 1 },
        'fitment.devices': story.members.filter(({ wave }) => wave === number).length,
      },
    }),
  )
  const members = story.members.flatMap((member): Span[] => {
    if (member.orderedAt === null) return []
    const { device, wave, state, error, orderedAt, movedAt } = member
    const parent = waves.some(({ name }) => name === `wave ${wave + 1}`)
    return [
      {
        ...{ traceId, spanId: spanIdOf(traceId, 'device', device), name: 'install' },
        parentSpanId: parent ? spanIdOf(traceId, 'wave', wave) : rootId,
        ...{ from: Date.parse(orderedAt), to: Date.parse(movedAt) },
        attributes: { ...subject, 'fitment.device': device, 'fitment.state': state },
        error: error ?? undefined,
      },
    ]
  })
  return [root, ...waves, ...members]
}

/** A wave ends where the next one begins. */
function wavesOf({ rollout, moves, endedAt }: RolloutStory) {
  const waves: { number: number; from: number; to: number }[] = []
  let from = Date.parse(rollout.createdAt)
  let number = 0
  for (const { at, detail } of moves) {
    const wave = typeof detail.wave === 'number' ? detail.wave - 1 : number
    if (wave <= number) continue
    waves.push({ number, from, to: Date.parse(at) })
    from = Date.parse(at)
    number = wave
  }
  return [...waves, { number, from, to: Date.parse(endedAt) }]
}
