import type { Subject } from '../groups/index.ts'
import type { Gate } from './gates.ts'
import type { MemberState } from './members.ts'
import type { Rate } from './rate.ts'
import type { RolloutState } from './states.ts'
import type { Wave } from './waves.ts'

export interface Placed {
  readonly device: string
  readonly online: boolean
  /** What selectors may ask of it; absent where no selector of the rollout asks. */
  readonly subject?: Subject
}

export interface Member extends Placed {
  readonly state: MemberState
  /** A failure the operator has seen and resumed past: gates no longer count it. */
  readonly forgiven: boolean
  /** It ran another variant before, and could go back to it. */
  readonly hadBefore?: boolean
}

export interface RolloutView {
  readonly state: RolloutState
  /** Index into `waves`. */
  readonly wave: number
  readonly waves: readonly Wave[]
  readonly gate: Gate
  /** An operator opens every wave after the first. */
  readonly approval: boolean
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
