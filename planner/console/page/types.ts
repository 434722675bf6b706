/** What the API answers with, by the names that pages use. Types alone: none of the planner's code is in the page. */
import type { DeviceView, KeysView, OperationOutput } from '../../api/index.ts'
import type { ListOf } from './api.ts'

export type {
  CandidateRow,
  ClassPlan,
  Explanation,
  HealthView,
  ModelView,
  ProbeView,
  RevisionView,
  Role,
  RolloutDetail,
  RolloutMember,
  RolloutSummary,
  SessionView,
} from '../../api/index.ts'

export type PlannerInfo = OperationOutput<'planner.info'>
export type DeviceRow = DeviceView
export type DeviceList = ListOf<OperationOutput<'devices.list'>[number]>
export type DeviceDetail = OperationOutput<'devices.show'>
export type ClassList = ListOf<OperationOutput<'classes.list'>[number]>
export type ModelDetail = OperationOutput<'models.show'>
export type ModelList = ListOf<OperationOutput<'models.list'>[number]>
export type RevisionList = ListOf<OperationOutput<'models.history'>[number]>
export type ProbeList = ListOf<OperationOutput<'probes.list'>[number]>
export type AlarmList = ListOf<OperationOutput<'alarms.list'>[number]>
export type SampleCounts = OperationOutput<'samples.list'>
export type SampleList = ListOf<OperationOutput<'samples.read'>[number]>
export type Sample = SampleList['items'][number]
export type AuditList = ListOf<OperationOutput<'audit.list'>[number]>
export type BatchList = ListOf<OperationOutput<'keys.pending'>[number]>
export type Keys = KeysView
export type RolloutList = ListOf<OperationOutput<'rollouts.list'>[number]>
export type RolloutStatus = OperationOutput<'rollout.status'>
export type Operators = ListOf<OperationOutput<'operators.list'>[number]>
export type NewOperator = OperationOutput<'operators.add'>
export type Invitation = OperationOutput<'devices.invite'>
export type WindowList = ListOf<OperationOutput<'windows.list'>[number]>
export type WebhookList = ListOf<OperationOutput<'webhooks.list'>[number]>
export type DeadDeliveries = ListOf<OperationOutput<'webhooks.dead'>[number]>
export type PackageList = ListOf<OperationOutput<'runtimes.list'>[number]>
