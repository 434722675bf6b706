export { DEFAULT_GATE, type Gate, gateSchema } from './gates.ts'
export { afterReport, MEMBER_STATES, type MemberState, standingOf } from './members.ts'
export { asksWho, type RolloutOptions, rolloutOptionsSchema, selectorsOf } from './options.ts'
export { planRollout, type RolloutStep } from './plan.ts'
export {
  type Bucket,
  type Member,
  type Placed,
  type Population,
  populationAmong,
  populationOf,
} from './population.ts'
export { type Rate, ratePerMinute, rateSchema } from './rate.ts'
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
export type { Roll, RolloutView } from './view.ts'
export {
  DEFAULT_WAVES,
  parseWaves,
  printWave,
  printWaves,
  type Wave,
  waveSchema,
  waveTarget,
} from './waves.ts'
