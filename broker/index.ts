export { ACCESS, type Action, mayUse } from './access.ts'
export { believeCertificates, type CertificateRules, stillBelieved } from './certificates.ts'
export type { ReceiverTopic } from './devices.ts'
export { BrokerError, type BrokerErrorCode } from './errors.ts'
export {
  type Authenticate,
  believeClientIds,
  type Credentials,
  type Identity,
  PLANNER_USERNAME,
  type Refused,
  type Role,
} from './identity.ts'
export { type BrokerLimits, DEFAULT_LIMITS } from './limits.ts'
export type { TlsMaterial } from './listener.ts'
export {
  MOSQUITTO_FILES,
  type MosquittoOptions,
  mosquittoAcl,
  mosquittoJoinAcl,
  mosquittoSettings,
} from './mosquitto.ts'
export {
  canUseRabbitmq,
  RABBITMQ_ADVANCED,
  RABBITMQ_FILES,
  RABBITMQ_PLUGINS,
  type RabbitmqOptions,
  rabbitmqDefinitions,
  rabbitmqSettings,
} from './rabbitmq.ts'
export { type Broker, type BrokerOptions, startBroker } from './start-broker.ts'
