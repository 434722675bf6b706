/** Parts that devices are shared out in: many more than planners, so that shares come out alike. */
export const SHARDS = 64

const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/** FNV-1a of its name: every planner comes to the same, and no row says it. */
export function shardOf(device: string): number {
  let hash = OFFSET
  for (let index = 0; index < device.length; index += 1) {
    hash = Math.imul(hash ^ device.charCodeAt(index), PRIME)
  }
  // The low bits of FNV-1a alone are poor.
  return ((hash ^ (hash >>> 15)) >>> 0) % SHARDS
}
