export { ACCESS, type Action, mayUse } from './access.ts'
export { BrokerError, type BrokerErrorCode } from './errors.ts'
export {
  type Authenticate,
  believeClientIds,
  type Credentials,
  type Identity,
  PLANNER_USERNAME,
  type Role,
} from './identity.ts'
export { type BrokerLimits, DEFAULT_LIMITS } from './limits.ts'
export { type Broker, type BrokerOptions, startBroker } from './start-broker.ts'
