export { Builder, type BuilderOptions } from './builder.ts'
export { withJob } from './building/builds.ts'
export { candidateViews, variantPlanFor } from './building/candidates.ts'
export { clockAdvice, keepClock } from './clock-keeper.ts'
export { Conductor, type ConductorOptions } from './conductor.ts'
export { commit, failPointNames } from './context/commit.ts'
export {
  type ConductorContext,
  type ConductorSettings,
  DEFAULT_SETTINGS,
  isSettlingIn,
} from './context/context.ts'
export type { ProgressEvent } from './context/progress.ts'
export { factsOfClass } from './devices/class-facts.ts'
export { describeParts, noticedIn } from './devices/class-parts.ts'
export { RULES_FILE } from './health/alarm-rules.ts'
export { type Yardstick, yardstickOf } from './health/health-windows.ts'
export { type ClassEvidence, classEvidence } from './pipeline/class-evidence.ts'
export { DEFAULT_RETENTION, prune, type Retention } from './retention.ts'
export { type Drive, drive } from './rollouts/drive.ts'
export { hoursOf, opensAt } from './rollouts/hours.ts'
export { classesMeant, meantBy, subjectsOfClass } from './rollouts/meant.ts'
export { applyRolloutEvent, retryFailed, startRollout } from './rollouts/rollout-events.ts'
export { type Shippable, shippable } from './rollouts/shippable.ts'
export { suits } from './runtimes/advance-packages.ts'
