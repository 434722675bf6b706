import type { HardwareReport } from '../../shared/messages/index.ts'
import { formatBytes } from '../../shared/units.ts'
import type { Profile } from './profile.ts'

/** What the operator lets the agent use; null or absent: no limit but the device's. */
export interface DeviceLimits {
  readonly memoryLimitBytes?: number | null
  readonly storageLimitBytes?: number | null
}

export interface Allowance {
  readonly bytes: number
  /** Which bound decided. */
  readonly reason: string
}

/** One of those that may; only what the tightest is called is put into words, for every birth asks. */
interface Bound {
  readonly bytes: number
  readonly reason: () => string
}

export interface Budget {
  readonly memory: Allowance
  readonly storage: Allowance
}

/** Nothing is known of the device: what even a 128 MiB board can spare. */
const WITHOUT_FACTS = 32 * 1024 * 1024

/** A model must leave room for the system, the agent and the application beside it. */
const SHARE_OF_MEMORY = 0.5

/** Journal, logs and the file system's own needs. */
const RESERVE_SHARE = 0.05
const MOST_RESERVE = 64 * 1024 * 1024

/**
 * Bytes that one model may use on this device: the tightest of the class's budget, the device's own means
 * (0 in a report means unknown and binds nothing) and the operator's limits.
 */
export function effectiveBudget(
  profile: Profile | null,
  report: HardwareReport,
  limits: DeviceLimits = {},
): Budget {
  return {
    memory: tightest([
      ...fromProfile(profile, profile?.budgets.memoryBytes),
      ...known(report.memory.totalBytes, (b) => b * SHARE_OF_MEMORY, 'half of the memory'),
      ...known(report.memory.availableBytes, (b) => b, 'the memory available'),
      ...fromLimit(limits.memoryLimitBytes, 'memory'),
    ]),
    storage: tightest([
      ...fromProfile(profile, profile?.budgets.storageBytes),
      ...freeStorage(report),
      ...fromLimit(limits.storageLimitBytes, 'storage'),
    ]),
  }
}

function tightest(bounds: readonly Bound[]): Allowance {
  const [first, ...rest] = bounds
  if (first === undefined) {
    return {
      bytes: WITHOUT_FACTS,
      reason: `the device tells nothing: at most ${formatBytes(WITHOUT_FACTS)}`,
    }
  }
  const { bytes, reason } = rest.reduce(
    (least, bound) => (bound.bytes < least.bytes ? bound : least),
    first,
  )
  return { bytes, reason: reason() }
}

function fromProfile(profile: Profile | null, bytes: number | undefined): Bound[] {
  if (profile === null || bytes === undefined) return []
  return [{ bytes, reason: () => `class ${profile.id} allows ${formatBytes(bytes)}` }]
}

function fromLimit(bytes: number | null | undefined, what: string): Bound[] {
  if (bytes === null || bytes === undefined) return []
  return [{ bytes, reason: () => `the agent's ${what} limit is ${formatBytes(bytes)}` }]
}

function known(total: number, share: (bytes: number) => number, what: string): Bound[] {
  if (total <= 0) return []
  const bytes = Math.floor(share(total))
  return [{ bytes, reason: () => `${what} is ${formatBytes(bytes)}` }]
}

/** A full disk is a fact (0 bytes), not an unknown: the total tells them apart. */
function freeStorage({ storage }: HardwareReport): Bound[] {
  if (storage.totalBytes <= 0) return []
  const reserve = Math.min(MOST_RESERVE, Math.ceil(storage.totalBytes * RESERVE_SHARE))
  const bytes = Math.max(0, storage.freeBytes - reserve)
  const reason = () =>
    `${formatBytes(storage.freeBytes)} free, of which ${formatBytes(reserve)} stay in reserve`
  return [{ bytes, reason }]
}
