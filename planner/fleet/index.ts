export type { EmbeddedBroker, FleetConnection, TlsMaterial } from './connection.ts'
export { DEFAULT_LIMITS, type FleetLimits } from './limits.ts'
export { type FleetOptions, startFleet } from './start-fleet.ts'
export type { FleetLink, FleetStore } from './store.ts'
