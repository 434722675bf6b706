import type { HealthVerdict } from '../health/index.ts'
import type { Gate } from './gates.ts'
import type { Member, Placed, Population } from './population.ts'
import type { Rate } from './rate.ts'
import type { RolloutState } from './states.ts'
import type { Wave } from './waves.ts'

export interface RolloutView {
  readonly state: RolloutState
  /** Index into `waves`. */
  readonly wave: number
  readonly waves: readonly Wave[]
  readonly gate: Gate
  /** An operator opens every wave after the first. */
  readonly approval: boolean
  readonly population: Population
  /** How members do that run the variant; null: nobody watches. */
  readonly watch: HealthVerdict | null
  /** Where it matters who the devices are; null: how many they are says all. */
  readonly roll: Roll | null
}

/** Devices one by one, for rollouts that ask for labels, groups, a rate or hours. */
export interface Roll {
  /** Devices that share this label's value get it all or none. */
  readonly atomicBy?: string | undefined
  /** Absent: no limit. */
  readonly rate?: Rate | undefined
  /** Devices that were first told within the last minute. */
  readonly toldThisMinute?: number
  readonly members: readonly Member[]
  /** Devices that it is for and that are no members yet. */
  readonly outside: readonly Placed[]
}
