export {
  type Agent,
  type AgentOptions,
  type AgentStatus,
  failPointNames,
  startAgent,
} from './daemon/index.ts'
export { readReport } from './inventory/index.ts'
export { DeviceLink, parseEndpoint } from './link/index.ts'
