import { ROLLOUT_EVENTS, type RolloutEvent } from '../rollout/index.ts'

const OTHER_COMMITS = [
  'model.added',
  'plan.asked',
  'rollout.asked',
  'birth.stored',
  'death.stored',
  'report.stored',
  'report.handled',
  'candidates.planned',
  'variant.building',
  'variant.built',
  'variant.evaluated',
  'variant.failed',
  'probe.ordered',
  'probe.given-up',
  'selection.made',
  'rollout.started',
  'assignment.given',
  'device.released',
  'device.failed',
  'device.unfit',
] as const

/** Every commit of the conductor has a name. */
export type CommitName = `rollout.${RolloutEvent}` | (typeof OTHER_COMMITS)[number]

export const COMMIT_NAMES: readonly CommitName[] = [
  ...ROLLOUT_EVENTS.map((event) => `rollout.${event}` as const),
  ...OTHER_COMMITS,
]
