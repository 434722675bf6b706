import type { z } from 'zod'
import type { AuditEntry } from '../../storage/index.ts'
import type { EVENT_DATA, EventKind } from '../contract/event-kinds.ts'

/** An event of one kind, with what it says. */
export type Event = {
  [K in EventKind]: { readonly kind: K; readonly data: z.infer<(typeof EVENT_DATA)[K]> }
}[EventKind]

type Reading = (entry: AuditEntry) => Event

const text = (value: unknown) => (typeof value === 'string' ? value : '')
const numberOrNull = (value: unknown) => (typeof value === 'number' ? value : null)
const numberOr = (value: unknown, otherwise: number) => numberOrNull(value) ?? otherwise

const asked =
  (back: boolean): Reading =>
  ({ subject: model, detail, actor: by }) => ({
    kind: 'rollout.asked',
    data: { model, revision: numberOrNull(detail.revision), back, by },
  })

const left =
  (kind: 'device.retired' | 'device.revoked' | 'device.removed'): Reading =>
  ({ subject: device, detail, actor: by }) => ({
    kind,
    data: { device, by, reason: text(detail.reason) },
  })

const alarm =
  (kind: 'alarm.raised' | 'alarm.cleared'): Reading =>
  ({ subject: model, detail }) => {
    const { device, rule, evidence } = detail
    const data = { model, device: text(device), rule: text(rule), evidence: text(evidence) }
    return { kind, data }
  }

/** What of the audit is an event for others, by its action. */
const READINGS: Readonly<Record<string, Reading>> = {
  'device.joined': ({ subject: device }) => ({ kind: 'device.joined', data: { device } }),
  'device.double': ({ subject: device }) => ({ kind: 'device.double', data: { device } }),
  'devices.retire': left('device.retired'),
  'devices.reinstate': ({ subject: device, actor: by }) => ({
    kind: 'device.reinstated',
    data: { device, by },
  }),
  'devices.revoke': left('device.revoked'),
  'devices.remove': left('device.removed'),
  'models.add': ({ subject: model, detail, actor: by }) => ({
    kind: 'model.added',
    data: { model, revision: numberOrNull(detail.revision), by },
  }),
  'models.remove': ({ subject: model, actor: by }) => ({
    kind: 'model.removed',
    data: { model, by },
  }),
  'rollout.start': asked(false),
  rollback: asked(true),
  'alarm.raised': alarm('alarm.raised'),
  'alarm.cleared': alarm('alarm.cleared'),
  'release.drafted': ({ subject: what, detail }) => ({
    kind: 'release.waiting',
    data: { batch: text(detail.batch), what },
  }),
}

const ROLLOUT = 'rollout.'

/** Undefined for what is nobody's affair but the operators'. */
export function eventOf(entry: AuditEntry): Event | undefined {
  const { action, detail } = entry
  const reading = Object.hasOwn(READINGS, action) ? READINGS[action] : undefined
  if (reading !== undefined) return reading(entry)
  const isMove = action.startsWith(ROLLOUT) && text(detail.from) !== '' && text(detail.to) !== ''
  return isMove ? moved(entry) : undefined
}

function moved({ action, subject: model, detail, actor: by }: AuditEntry): Event {
  const { from, to, reason, wave } = detail
  return {
    kind: 'rollout.moved',
    data: {
      ...{ model, class: text(detail.class), event: action.slice(ROLLOUT.length) },
      ...{ from: text(from), to: text(to), wave: numberOr(wave, 1), reason: text(reason), by },
    },
  }
}
