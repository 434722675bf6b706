export type { Attempt } from './attempts.ts'
export { type Beaten, beatenYardsticks } from './beaten.ts'
export { chooseProbers, fits, type Prober, type ProberChoice } from './choose-probers.ts'
export { type Entrant, type Evidence, evidenceOf } from './evidence.ts'
export { dropOnHost, type HostVerdict, judgeOnHost } from './host-verdict.ts'
export { measuredRow, type RowInput } from './measured-row.ts'
export { patienceAfter } from './quiet-time.ts'
export { judgeRecheck, type RecheckResult, type RecheckVerdict } from './recheck.ts'
export { type ClassSummary, type DeviceRecord, summarise } from './summarise.ts'
export {
  type Match,
  type MatchOrder,
  planTournament,
  type TournamentStep,
  type TournamentView,
} from './tournament.ts'
