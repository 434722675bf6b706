export { type Attempt, isUsable, NOT_BESIDE } from './attempts.ts'
export { type Beaten, beatenYardsticks } from './beaten.ts'
export { chooseProbers, fits, type Prober, type ProberChoice } from './choose-probers.ts'
export {
  type CostFacts,
  type CostModel,
  type Forecast,
  fitCosts,
  type KnownCost,
} from './cost-model.ts'
export { type Entrant, type Evidence, evidenceOf } from './evidence.ts'
export { forecastOf, outForecast, type Prior } from './forecasts.ts'
export { dropOnHost, type HostVerdict, judgeOnHost } from './host-verdict.ts'
export { measuredRow, type RowInput } from './measured-row.ts'
export type { Match, MatchOrder, OtherEntrant, TournamentStep } from './next-step.ts'
export {
  definedOf,
  NO_POLICY,
  type ProbePolicy,
  policyChangeSchema,
  printPolicy,
  probePolicySchema,
} from './policy.ts'
export { patienceAfter } from './quiet-time.ts'
export { judgeRecheck, type RecheckResult, type RecheckVerdict } from './recheck.ts'
export { type ClassSummary, type DeviceRecord, summarise } from './summarise.ts'
export { settingOf } from './thread-settings.ts'
export { planTournament, type TournamentView } from './tournament.ts'
export {
  type Speed,
  type TellingFact,
  type TwoSpeeds,
  tellingFact,
  twoSpeeds,
} from './two-speeds.ts'
