export type { PlannerInfo } from './call/call.ts'
export { type CallInput, connectPlanner, type PlannerClient } from './client/client.ts'
export { followEvents } from './client/follow-events.ts'
export { socketPath } from './client/socket-path.ts'
export {
  type ApiProgress,
  OPERATIONS,
  type OperationAnswer,
  type OperationInput,
  type OperationName,
  type OperationOutput,
  ROLES,
  type Role,
} from './contract/contract.ts'
export { ApiError, RemoteError } from './contract/errors.ts'
export { EVENT_KINDS } from './contract/event-kinds.ts'
export type { Explanation } from './contract/explanation.ts'
export type { DeviceHealth, HealthView } from './contract/health-views.ts'
export type { PackageView } from './contract/package-views.ts'
export type { Page } from './contract/paging.ts'
export type { Problem } from './contract/problems.ts'
export type { RolloutDetail, RolloutMember, RolloutSummary } from './contract/rollout-views.ts'
export type { SessionView } from './contract/session-views.ts'
export type {
  AuditView,
  BatchView,
  CandidateRow,
  ClassPlan,
  ClassView,
  DeviceView,
  KeysView,
  ModelView,
  ProbeView,
  RevisionView,
  RolloutStatus,
  RolloutView,
  WindowView,
} from './contract/views.ts'
export type { DeliveryView, WebhookView } from './contract/webhook-views.ts'
export { querySchemaOf, readQueryInput } from './openapi/query-input.ts'
export type { Pages } from './server/exchange.ts'
export type { OperatorListener } from './server/operator-listener.ts'
export { type Api, type ApiOptions, startApi } from './server/server.ts'
