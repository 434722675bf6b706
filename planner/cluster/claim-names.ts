import { SHARDS } from './shards.ts'

/** Who has it moves models and rollouts on. */
export const LEADING = 'conductor'
/** Who has one of these speaks with its devices. */
export const DEVICES = 'devices/'

export const CLAIM_NAMES: readonly string[] = [
  LEADING,
  ...Array.from({ length: SHARDS }, (_, shard) => claimOfShard(shard)),
]

export function claimOfShard(shard: number): string {
  return `${DEVICES}${String(shard).padStart(2, '0')}`
}

/** Undefined for what is no part of the devices. */
export function shardOfClaim(name: string): number | undefined {
  return name.startsWith(DEVICES) ? Number(name.slice(DEVICES.length)) : undefined
}
