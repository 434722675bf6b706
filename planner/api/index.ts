export type { PlannerInfo } from './call.ts'
export { connectPlanner, type PlannerClient } from './client.ts'
export {
  type ApiProgress,
  OPERATIONS,
  type OperationInput,
  type OperationName,
  type OperationOutput,
  ROLES,
  type Role,
} from './contract.ts'
export { ApiError, RemoteError } from './errors.ts'
export type { Explanation } from './explanation.ts'
export type { DeviceHealth, HealthView } from './health-views.ts'
export type { OperatorListener } from './operator-listener.ts'
export type { PackageView } from './package-views.ts'
export { type Api, type ApiOptions, startApi } from './server.ts'
export { socketPath } from './socket-path.ts'
export type {
  BatchView,
  CandidateRow,
  ClassPlan,
  ClassView,
  DeviceView,
  ModelView,
  ProbeView,
  RolloutStatus,
  RolloutView,
} from './views.ts'
