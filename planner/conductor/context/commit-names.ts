import { type OwnRolloutEvent, ROLLOUT_EVENTS } from '../../rollout/index.ts'

const OTHER_COMMITS = [
  'model.added',
  'plan.asked',
  'rollout.asked',
  'class.split',
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
  'runtime.added',
  'runtime.removed',
  'runtime.given',
] as const

/** Every commit of the conductor has a name. */
export type CommitName = `rollout.${OwnRolloutEvent}` | (typeof OTHER_COMMITS)[number]

export const COMMIT_NAMES: readonly CommitName[] = [
  ...ROLLOUT_EVENTS.filter((event) => event !== 'supersede').map(
    (event) => `rollout.${event}` as const,
  ),
  ...OTHER_COMMITS,
]
