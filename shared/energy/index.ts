export { type EnergyOptions, measureEnergy } from './measure-energy.ts'
export { findMeter, type Meter } from './meters.ts'
