import { momentsOf } from '../../../shared/fail-points.ts'
import { INSTALL_STEPS, type InstallStep } from '../transitions/install-table.ts'
import { PROBE_STEPS, type ProbeStep } from '../transitions/probe-table.ts'

/** Writes to the journal that are no entering of a step. */
const OTHER_COMMITS = [
  'run.started',
  'run.ended',
  'install.queued',
  'install.dequeued',
  'install.restarted',
  'probe.restarted',
  'order.repeated',
  'order.refused',
  'order.cancelled',
  'report.settled',
  'report.dropped',
  'report.observed',
  'slot.lost',
  'package.unusable',
] as const

/** Every write to the journal has a name, so that a test can cut the power at it. */
export type CommitName =
  | `install.${InstallStep}`
  | `probe.${ProbeStep}`
  | (typeof OTHER_COMMITS)[number]

/** Places between two writes where the disk is half way. */
const BETWEEN_COMMITS = [
  'journal.rewrite.before',
  'journal.rewrite.after',
  'slot.unpacked',
  'slot.drafted',
  'slot.placed',
  'slot.previous.pointed',
  'slot.current.pointed',
] as const

export const COMMIT_NAMES: readonly CommitName[] = [
  ...INSTALL_STEPS.map((step) => `install.${step}` as const),
  ...PROBE_STEPS.map((step) => `probe.${step}` as const),
  ...OTHER_COMMITS,
]

/** All that `FITMENT_FAIL_POINT` may name: before, in the middle of and after every write, and between. */
export function failPointNames(): string[] {
  return [...momentsOf(COMMIT_NAMES), ...BETWEEN_COMMITS]
}
