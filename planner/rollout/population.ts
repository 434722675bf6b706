import type { Subject } from '../groups/index.ts'
import { type MemberState, standingOf } from './members.ts'

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

/** Members of one rollout that are alike to it, and how many they are. */
export interface Bucket {
  readonly state: MemberState
  readonly forgiven: boolean
  readonly online: boolean
  readonly devices: number
}

/** The devices of a class as a rollout sees them: counted, since which ones they are does not matter to its gates. */
export interface Population {
  readonly members: number
  /** On their way, and here. */
  readonly present: number
  /** On their way, and offline. */
  readonly away: number
  /** Who settled, whatever the operator forgave. */
  readonly settled: number
  /** The same, as gates count them. */
  readonly active: number
  readonly failed: number
  /** Devices of the class that are no members yet. */
  readonly outsideOnline: number
  readonly outsideOffline: number
}

export function populationOf(
  buckets: readonly Bucket[],
  outside: { readonly online: number; readonly offline: number },
): Population {
  const sum = (counts: (bucket: Bucket, standing: ReturnType<typeof standingOf>) => boolean) =>
    buckets.reduce((n, one) => n + (counts(one, standingOf(one.state)) ? one.devices : 0), 0)
  return {
    members: sum(() => true),
    present: sum(({ online }, standing) => standing === 'under-way' && online),
    away: sum(({ online }, standing) => standing === 'under-way' && !online),
    settled: sum((_, standing) => standing === 'active' || standing === 'failed'),
    active: sum(({ forgiven }, standing) => standing === 'active' && !forgiven),
    failed: sum(({ forgiven }, standing) => standing === 'failed' && !forgiven),
    outsideOnline: outside.online,
    outsideOffline: outside.offline,
  }
}

/** The same, of devices that are looked at one by one. */
export function populationAmong(
  members: readonly Member[],
  outside: readonly { readonly online: boolean }[],
): Population {
  const online = outside.filter((device) => device.online).length
  return populationOf(
    members.map((member) => ({ ...member, devices: 1 })),
    { online, offline: outside.length - online },
  )
}
