const KIB = 1024

/** What a device accepts at most, before it has verified anything. */
export interface TrustLimits {
  /** Bytes of one metadata file. */
  readonly rootBytes: number
  readonly timestampBytes: number
  readonly snapshotBytes: number
  readonly targetsBytes: number
  /** New roots taken in one refresh; the next refresh goes on. */
  readonly rootRotations: number
  /** Delegated roles visited in search of one target. */
  readonly delegations: number
  /** Until one file must be there whole, ms. */
  readonly fileMs: number
  /** Until a repository must be refreshed, ms. */
  readonly refreshMs: number
}

/** Of the order of aktualizr's (64 KiB, targets 8 MiB) and tuf-js' (256 rotations, 32 delegations). */
export const TRUST_LIMITS: TrustLimits = {
  rootBytes: 64 * KIB,
  timestampBytes: 16 * KIB,
  snapshotBytes: 512 * KIB,
  targetsBytes: 1024 * KIB,
  rootRotations: 256,
  delegations: 32,
  fileMs: 60_000,
  refreshMs: 300_000,
}

/**
 * Entries of one map or list in a metadata file: @tufjs/models copies a map for each of its entries,
 * so time grows with the square, and it does so before a signature is checked.
 */
export const MAX_ENTRIES = 4096
/**
 * Versions and counters beyond are refused: whoever steals a key cannot use numbers up. Some follow the
 * clock in seconds, so there is room for some thousand years of them.
 */
export const MAX_VERSION = 2 ** 40 - 1
