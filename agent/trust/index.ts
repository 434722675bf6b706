export * from './assignment.ts'
export * from './device-trust.ts'
export * from './source.ts'
export type { WallClock } from './trusted-clock.ts'
