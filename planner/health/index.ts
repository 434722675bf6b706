export {
  type Condition,
  conditionSchema,
  evidenceOf,
  HEALTH_METRICS,
  type HealthMetric,
  type Held,
  hold,
  parseCondition,
  parseConditions,
  printCondition,
} from './conditions.ts'
export {
  type Figures,
  figuresOf,
  mergeObservations,
  type Percentiles,
  probePercentiles,
} from './figures.ts'
export {
  type HealthGate,
  type HealthVerdict,
  healthGateSchema,
  judgeHealth,
  type WatchedMember,
  type WatchedWave,
} from './gate.ts'
export {
  ALARM_STATES,
  type AlarmCount,
  alarmCountSchema,
  count,
  type Patience,
  QUIET,
} from './hysteresis.ts'
export { appliesTo, DEFAULT_RULES, type Rule, RulesError, readRules } from './rules.ts'
