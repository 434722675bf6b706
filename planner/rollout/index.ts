export { DEFAULT_GATE, type Gate, gateSchema } from './gates.ts'
export { afterReport, MEMBER_STATES, type MemberState, standingOf } from './members.ts'
export { type RolloutOptions, rolloutOptionsSchema } from './options.ts'
export { planRollout, type RolloutStep, type RolloutView } from './plan.ts'
export {
  type Bucket,
  type Member,
  type Population,
  populationAmong,
  populationOf,
} from './population.ts'
export {
  isPossible,
  nextState,
  OPEN_STATES,
  type OwnRolloutEvent,
  ROLLOUT_EVENTS,
  ROLLOUT_STATES,
  RolloutError,
  type RolloutEvent,
  type RolloutState,
  SERVING,
} from './states.ts'
export {
  DEFAULT_WAVES,
  parseWaves,
  printWaves,
  type Wave,
  waveSchema,
  waveTarget,
} from './waves.ts'
