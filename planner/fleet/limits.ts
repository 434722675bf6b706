import { BLOCK_BYTES } from '../../shared/messages/index.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** What one device, or all of them together, may take of the planner. Sizes in bytes, times in ms. */
export interface FleetLimits {
  /** Births, deaths and reports of one device that wait for the database; more are dropped and come again. */
  readonly mailbox: number
  /** Of those, how many are taken at all: so many at once, then one per interval; the rest comes again. */
  readonly reportBurst: number
  readonly reportIntervalMs: number
  /** Block requests of one device that wait their turn; more are dropped and come again. */
  readonly wants: number
  /** Blocks of one device between its file and its socket. */
  readonly inflightBytesPerDevice: number
  /** The same of all devices; past it each still has one block under way, so nobody waits for the slow. */
  readonly inflightBytes: number
  readonly openFiles: number
  /** Most of a block in one message, to agents that put parts together. */
  readonly pieceBytes: number
  /** Blocks that are kept as they were sent, for devices that want the same ones at that time. */
  readonly framedBytes: number
  /** Devices whose orders are read and signed at a time. */
  readonly signing: number
  /** Devices whose signed orders are on their way to their sockets: more than ever freeze at once, and their orders still fit into memory. */
  readonly sending: number
  /** Bytes a second of blocks to one device, and to all of them. */
  readonly bytesPerSecondPerDevice: number
  readonly bytesPerSecond: number
  /** Devices that samples are collected from at a time, and how long one may say nothing, ms. */
  readonly collecting: number
  readonly collectMs: number
  /** While the disk has no room for samples nobody is asked, ms. */
  readonly noRoomMs: number
  /** First pause before an unacknowledged order is sent again; it doubles up to the longest. */
  readonly retryMs: number
  readonly longestRetryMs: number
  /** A device is asked for its birth no more often than this. */
  readonly rebirthMs: number
  /** Garbage of one device that is recorded: so many at once, then one per interval. */
  readonly garbageBurst: number
  readonly garbageIntervalMs: number
}

export const DEFAULT_LIMITS: FleetLimits = {
  mailbox: 512,
  // A whole outbox at once; an agent at work says a report or two a second.
  reportBurst: 1024,
  reportIntervalMs: 20,
  wants: 64,
  inflightBytesPerDevice: MIB,
  inflightBytes: 64 * MIB,
  openFiles: 64,
  pieceBytes: BLOCK_BYTES,
  framedBytes: 16 * MIB,
  signing: 16,
  sending: 4096,
  bytesPerSecondPerDevice: Number.POSITIVE_INFINITY,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  collecting: 8,
  collectMs: 20_000,
  noRoomMs: 600_000,
  retryMs: 5_000,
  longestRetryMs: 300_000,
  rebirthMs: 5_000,
  garbageBurst: 10,
  garbageIntervalMs: 10_000,
}
