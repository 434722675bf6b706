import type { AuditEntry } from '../../storage/index.ts'
import type { MovedKind } from './gathering.ts'

interface Moved {
  readonly kind: MovedKind
  readonly item: Readonly<Record<string, unknown>>
}

type Reading = (entry: AuditEntry) => Moved

const device: Reading = ({ subject }) => ({ kind: 'devices', item: { device: subject } })
const model: Reading = ({ subject }) => ({ kind: 'models', item: { model: subject } })
const keys: Reading = () => ({ kind: 'keys', item: {} })
const alarm: Reading = ({ action, subject, detail, at }) => ({
  kind: 'alarms',
  item: {
    ...{ model: subject, device: detail.device, rule: detail.rule },
    state: action.slice('alarm.'.length),
    ...{ evidence: detail.evidence, at },
  },
})

/** What moved by what is noted in the audit; rollouts and plans the conductor itself tells of. */
const READINGS: Readonly<Record<string, Reading>> = {
  'device.joined': device,
  'device.double': device,
  'device.garbage': device,
  'devices.label': device,
  'devices.retire': device,
  'devices.reinstate': device,
  'devices.revoke': device,
  'devices.remove': device,
  'models.add': model,
  'models.annotate': model,
  'models.prune': model,
  'models.remove': model,
  'rollout.start': model,
  'rollout.queued': model,
  rollback: model,
  plan: model,
  'alarm.raised': alarm,
  'alarm.cleared': alarm,
  'release.drafted': keys,
  'release.published': keys,
  'keys.rotate': keys,
  'keys.signed': keys,
  'keys.published': keys,
  'keys.dropped': keys,
  'keys.forget': keys,
}

export function movedBy(entry: AuditEntry): readonly Moved[] {
  const reading = Object.hasOwn(READINGS, entry.action) ? READINGS[entry.action] : undefined
  return reading === undefined ? [] : [reading(entry)]
}
