const KIB = 1024
const MIB = 1024 * KIB

/** What one client, or all of them together, may take of the broker. Sizes in bytes, times in ms. */
export interface BrokerLimits {
  /** Largest MQTT frame from a client that is not yet let in. */
  readonly frameBytesBeforeConnect: number
  readonly frameBytes: number
  /** Of one client, planners excepted: what it sends beyond is read later. */
  readonly framesPerSecond: number
  readonly frameBurst: number
  readonly bytesPerSecond: number
  readonly byteBurst: number
  readonly connections: number
  readonly connectionsPerAddress: number
  /** A connection that has sent no CONNECT by then is closed. */
  readonly connectTimeoutMs: number
  /** A client whose socket takes nothing for so long is closed. */
  readonly drainTimeoutMs: number
  /** Longest keep-alive a client may ask for, seconds; none at all is refused too. */
  readonly keepaliveSeconds: number
  /** Bytes on their way to one device that its socket has not taken. At least one window of blocks. */
  readonly inflightBytesPerClient: number
  readonly inflightBytes: number
  /** Clients without a certificate that ask for one at the same time. */
  readonly joining: number
  /** Longest such a client stays. */
  readonly joiningMs: number
  /** Messages it may say. */
  readonly joiningMessages: number
  /** How often certificates of live connections are looked at. */
  readonly sweepMs: number
}

export const DEFAULT_LIMITS: BrokerLimits = {
  frameBytesBeforeConnect: 16 * KIB,
  frameBytes: 256 * KIB,
  // One request per block at 128 MB/s; nothing else a device says comes near.
  framesPerSecond: 2_000,
  frameBurst: 500,
  bytesPerSecond: 4 * MIB,
  byteBurst: MIB,
  connections: 20_000,
  connectionsPerAddress: 2_000,
  connectTimeoutMs: 8_000,
  drainTimeoutMs: 12_000,
  keepaliveSeconds: 300,
  inflightBytesPerClient: 4.5 * MIB,
  inflightBytes: 512 * MIB,
  joining: 256,
  joiningMs: 60_000,
  joiningMessages: 8,
  sweepMs: 15_000,
}
